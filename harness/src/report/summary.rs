//! `summary.json`: every number that a report shows.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ridethrough_faults::catalogue::shows_on_occasion;
use ridethrough_targets::clock::Micros;

use super::crew::{CrewTimes, crew_times};
use super::detectors::{self, DetectorSummary};
use crate::judge::{
    Fault, Judged, Judgement, RunFacts, Sample, Steadiness, Verdict, cohort_name, percentile,
    worst_gap,
};
use crate::load::{Fate, Group, LedgerRow};
use crate::playbook::{Cohort, Metric};
use crate::record::{OracleReport, SCHEMA};

/// A run in numbers. Times of faults count from the start of the first phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this format.
    pub schema: u32,
    /// The run's id.
    pub run: String,
    /// The playbook's name.
    pub playbook: String,
    /// The seed.
    pub seed: u64,
    /// The world.
    pub world: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code.
    pub exit: u8,
    /// Wall-clock time of the start, RFC 3339.
    pub started: String,
    /// Run time of the last event, in seconds.
    pub duration_s: f64,
    /// Faults, asked against measured.
    pub faults: Vec<FaultSummary>,
    /// Assertions, judged.
    pub assertions: Vec<Judged>,
    /// What became of the requests.
    pub requests: RequestSummary,
    /// The same by cohort.
    pub cohorts: IndexMap<String, CohortSummary>,
    /// How long they took.
    pub latency: LatencySummary,
    /// What the power did: plant truth.
    pub power: PowerSummary,
    /// How soon after each fault the crew of a game day noticed, decided and acted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crew: Vec<CrewTimes>,
    /// How late faults took effect.
    pub skew_ms: SkewSummary,
    /// Who could notice that a machine had fallen silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detectors: Vec<DetectorSummary>,
    /// By what the answers to each load were judged.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub oracles: IndexMap<String, OracleSummary>,
    /// Why the run is invalid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<String>,
    /// What it came to when it was run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Steadiness>,
    /// What its controls came to, where they were run along with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<ControlSummary>,
}

/// What a control came to that was run along with its playbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlSummary {
    /// Its name.
    pub name: String,
    /// Whether it failed on the promise that it names.
    pub good: bool,
    /// What it came to, as people read it.
    pub came: String,
    /// The folder of its run.
    pub folder: String,
}

/// By what the answers to a load were judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OracleSummary {
    /// `reference`, `recorded` or `structural`.
    pub oracle: String,
    /// Why, where there was a choice.
    pub why: String,
}

/// A fault, asked against measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultSummary {
    /// Its kind.
    pub kind: String,
    /// Its target in words.
    pub target: String,
    /// When it was due and when it was seen.
    pub at_ms: AtMs,
    /// How long it was to last.
    pub for_ms: f64,
    /// What was asked.
    pub requested: IndexMap<String, Value>,
    /// What its witness measured.
    pub measured: IndexMap<String, Value>,
    /// The witness, empty where there was none.
    pub witness: String,
    /// The witness saw it take effect.
    pub effective: bool,
}

/// Two times of a fault, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtMs {
    /// When it was due.
    pub requested: f64,
    /// When its witness saw it; without one, when it was injected.
    pub observed: f64,
}

/// Requests by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// All of them.
    pub total: usize,
    /// Whole, from one replica.
    pub completed: usize,
    /// Whole, from more than one replica.
    pub resumed: usize,
    /// Whole, after the client tried again.
    pub retried: usize,
    /// Turned away in good order.
    pub shed: usize,
    /// Broken off.
    pub torn: usize,
    /// Not answered at all.
    pub lost: usize,
    /// Answered wrongly.
    pub corrupted: usize,
    /// By fate.
    pub by_fate: IndexMap<String, usize>,
}

/// The requests of a cohort.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CohortSummary {
    /// How many.
    pub size: usize,
    /// By fate.
    pub by_fate: IndexMap<String, usize>,
}

/// Percentiles (nearest rank) in milliseconds; `null` where nothing was
/// measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// Latencies of requests that were answered in full, from the intended send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// To the first content token.
    pub ttft_ms: Quantiles,
    /// Single gaps between content tokens, pooled.
    pub itl_ms: Quantiles,
    /// Time per output token after the first.
    pub tpot_ms: Quantiles,
    /// To the last content token.
    pub e2e_ms: Quantiles,
    /// The longest silence in any answer that had begun, whole or not.
    pub silence_ms_max: Option<f64>,
}

/// What the power did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PowerSummary {
    /// The longest gap at any load bus behind the UPSs that were hit.
    pub transfer_gap_ms: Option<f64>,
    /// The lowest true state of charge of any battery.
    pub battery_soc_min_pct: Option<f64>,
    /// Machines that lost power.
    pub nodes_lost: usize,
    /// Machines that were braked.
    pub nodes_braked: usize,
}

/// Observed minus requested times of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkewSummary {
    /// The median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// A judged run in numbers.
pub fn summary(judgement: &Judgement) -> Summary {
    let facts = &judgement.facts;
    let header = facts.header.clone();
    let header = header.unwrap_or_else(|| crate::record::RunHeader {
        schema: SCHEMA,
        run: "unknown".into(),
        playbook: "unknown".into(),
        seed: 0,
        world: "unknown".into(),
        started: String::new(),
        version: String::new(),
        facts: IndexMap::new(),
    });
    Summary {
        schema: SCHEMA,
        run: header.run,
        playbook: header.playbook,
        seed: header.seed,
        world: header.world,
        verdict: judgement.verdict,
        exit: judgement.exit,
        started: header.started,
        duration_s: facts.last_us as f64 / 1e6,
        faults: facts.faults.iter().map(|f| fault(facts, f)).collect(),
        assertions: judgement.assertions.clone(),
        requests: requests(facts),
        cohorts: cohorts(facts),
        latency: latency(facts),
        power: power(facts),
        crew: crew_times(facts),
        skew_ms: skew(facts),
        detectors: detectors::found(facts),
        oracles: oracles(facts),
        invalid: judgement.invalid.clone(),
        again: None,
        controls: Vec::new(),
    }
}

fn oracles(facts: &RunFacts) -> IndexMap<String, OracleSummary> {
    let of = |report: &OracleReport| {
        let summary = OracleSummary {
            oracle: report.oracle.clone(),
            why: report.why.clone(),
        };
        (report.load.clone(), summary)
    };
    facts.oracles.iter().map(of).collect()
}

impl Summary {
    /// By what answers were judged, in one line, where they were not all the
    /// reference's own: `chat recorded (16 prompts answered alike twice)`.
    pub fn judged_by(&self) -> Option<String> {
        let one = |(load, by): (&String, &OracleSummary)| match by.why.is_empty() {
            true => format!("{load} {}", by.oracle),
            false => format!("{load} {} ({})", by.oracle, by.why),
        };
        let other = |by: &OracleSummary| by.oracle != "reference";
        let all: Vec<String> = self.oracles.iter().map(one).collect();
        self.oracles.values().any(other).then(|| all.join("; "))
    }
}

/// Milliseconds to the microsecond, as a signed difference.
fn ms(to: Micros, from: Micros) -> f64 {
    let micros = i128::from(to) - i128::from(from);
    micros as f64 / 1e3
}

fn observed_us(fault: &Fault) -> Micros {
    let seen = fault.injected.as_ref().and_then(|w| w.observed_us);
    seen.unwrap_or(fault.receipt.injected_us)
}

fn fault(facts: &RunFacts, fault: &Fault) -> FaultSummary {
    let receipt = &fault.receipt;
    let origin = facts.origin_us();
    let witness = fault.injected.as_ref();
    FaultSummary {
        kind: receipt.fault_kind.clone(),
        target: receipt.target.clone(),
        at_ms: AtMs {
            requested: ms(receipt.requested_us, origin),
            observed: ms(observed_us(fault), origin),
        },
        for_ms: ms(receipt.until_us, receipt.requested_us),
        requested: receipt.requested.clone(),
        measured: witness.map(|w| w.measured.clone()).unwrap_or_default(),
        witness: witness.map(|w| w.witness.clone()).unwrap_or_default(),
        effective: witness.is_some_and(|w| w.effective),
    }
}

fn by_fate<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> IndexMap<String, usize> {
    let mut count: std::collections::BTreeMap<Fate, usize> = Default::default();
    for row in rows {
        *count.entry(row.fate).or_default() += 1;
    }
    count
        .into_iter()
        .map(|(fate, n)| (fate.to_string(), n))
        .collect()
}

fn requests(facts: &RunFacts) -> RequestSummary {
    let fate = |fate: Fate| facts.rows.iter().filter(|r| r.fate == fate).count();
    let group = |group: Group| facts.rows.iter().filter(|r| r.group() == group).count();
    RequestSummary {
        total: facts.rows.len(),
        completed: fate(Fate::Completed),
        resumed: fate(Fate::Resumed),
        retried: fate(Fate::Retried),
        shed: group(Group::Shed),
        torn: group(Group::Torn),
        lost: group(Group::Lost),
        corrupted: group(Group::Corrupted),
        by_fate: by_fate(facts.rows.iter()),
    }
}

fn cohorts(facts: &RunFacts) -> IndexMap<String, CohortSummary> {
    let all = [
        Cohort::Before,
        Cohort::InFlight,
        Cohort::SentToVictim,
        Cohort::SentElsewhere,
        Cohort::AfterHeal,
    ];
    let of = |cohort: Cohort| {
        let within = |r: &&LedgerRow| facts.cohorts.get(&r.id) == Some(&cohort);
        let summary = CohortSummary {
            size: facts.rows.iter().filter(within).count(),
            by_fate: by_fate(facts.rows.iter().filter(within)),
        };
        (cohort_name(cohort).to_string(), summary)
    };
    all.into_iter().map(of).collect()
}

fn latency(facts: &RunFacts) -> LatencySummary {
    let whole = || facts.rows.iter().filter(|r| r.group() == Group::Whole);
    let of = |metric| {
        let sample = Sample::of(whole(), metric);
        let at = |share| sample.at(share).map(|us| us as f64 / 1e3);
        Quantiles {
            p50: at(0.50),
            p90: at(0.90),
            p99: at(0.99),
            max: at(1.00),
        }
    };
    let silence = facts
        .rows
        .iter()
        .filter_map(LedgerRow::silence_max_us)
        .max();
    LatencySummary {
        ttft_ms: of(Metric::Ttft),
        itl_ms: of(Metric::Itl),
        tpot_ms: of(Metric::Tpot),
        e2e_ms: of(Metric::E2e),
        silence_ms_max: silence.map(|us| us as f64 / 1e3),
    }
}

fn power(facts: &RunFacts) -> PowerSummary {
    let lowest = facts
        .charge
        .values()
        .flatten()
        .map(|reading| reading.charge)
        .min_by(f64::total_cmp);
    PowerSummary {
        transfer_gap_ms: worst_gap(facts).map(|gap| gap.length_us as f64 / 1e3),
        battery_soc_min_pct: lowest.map(|charge| (charge * 1e6).round() / 1e4),
        nodes_lost: facts.nodes_lost().len(),
        nodes_braked: facts.nodes_braked().len(),
    }
}

fn skew(facts: &RunFacts) -> SkewSummary {
    let late = |f: &Fault| ms(observed_us(f), f.receipt.requested_us);
    let shown = facts.faults.iter();
    let shown = shown.filter(|f| !shows_on_occasion(&f.receipt.fault_kind));
    let mut sorted: Vec<f64> = shown.map(late).collect();
    sorted.sort_by(f64::total_cmp);
    SkewSummary {
        p50: percentile(&sorted, 0.50),
        p99: percentile(&sorted, 0.99),
        max: percentile(&sorted, 1.00),
    }
}
