//! A record as a run of ten minutes would write it, made without one.

use std::error::Error;
use std::path::Path;

use indexmap::IndexMap;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use ridethrough::load::{Fate, LedgerRow, Termination};
use ridethrough::record::{
    Body, FaultReceipt, PhaseWindow, RecordWriter, RunHeader, SCHEMA, WitnessReport,
};
use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::{Attempt, AttemptEnd};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const S: Micros = 1_000_000;
/// Until when requests are sent.
const SENT: Micros = 600 * S;
/// The fault's time, in run time.
const FAULT: Micros = 60 * S;
const HEAL: Micros = 120 * S;
const END: Micros = 605 * S;

/// Promises that ask for every kind of sample, and for the largest twice.
pub(crate) const PLAYBOOK: &str = "
name: ten minutes
site:
  name: one feed
  utilities: {grid: {}}
  ups:
    ups-a: {from: grid, class: vfi, rating: 12kW, battery: {energy: 1kWh, runtime: 4m, runtime_low: 60s}}
  pdus: {pdu-a: {from: ups-a, breaker: {rating: 63A}}}
  feeds: {a: ups-a}
  racks: {r1: {cords: [pdu-a]}}
stack:
  name: two replicas
  nodes: {edge-1: {rack: r1, idle: 200W, peak: 400W}, gpu-1: {rack: r1}, gpu-2: {rack: r1}}
  services:
    gateway: {on: [edge-1], gateway: {}}
    replica: {on: [gpu-1, gpu-2], replica: {}}
load:
  - {name: chat, arrivals: {poisson: {rate: 200/s}}}
phases: {baseline: 60s, outage: 60s, recovery: 480s}
faults:
  - {inject: {utility_outage: {}}, during: outage}
assert:
  - continuity: {lost: 0, torn: 0}
  - latency: {of: ttft, p99: 800ms, during: outage}
  - latency: {of: itl, p50: 40ms, p99: 100ms}
  - latency: {of: itl, p99: 100ms, during: recovery}
  - latency: {of: tpot, p99: 100ms}
  - latency: {of: e2e, p99: 10s}
  - latency: {of: silence, max: 1s}
  - availability: {at_least: 99.9%}
  - recovery: {within: 5s}
  - battery: {charge_at_least: 50%}
";

/// Writes the record of a run that keeps every promise; returns its tokens.
pub(crate) fn write(path: &Path, requests: u32) -> Result<u64> {
    let mut writer = RecordWriter::create(path)?;
    writer.write(0, "engine", Body::Run(header()))?;
    let phases = [
        ("baseline", 0, FAULT),
        ("outage", FAULT, HEAL),
        ("recovery", HEAL, END),
    ];
    for (name, start_us, end_us) in phases {
        let name = name.to_string();
        writer.write(
            start_us,
            "engine",
            Body::Phase(PhaseWindow { name, end_us }),
        )?;
    }
    fault(&mut writer)?;
    let every = SENT / Micros::from(requests);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut tokens = 0;
    for number in 0..requests {
        let row = row(number, every, &mut random);
        tokens += u64::from(row.tokens);
        attempts(&mut writer, &row)?;
        writer.write(row.end_us, "clients", Body::Request(row))?;
        if number % 20 == 0 {
            meters(&mut writer, Micros::from(number) * every)?;
        }
    }
    let done = Body::LoadDone {
        load: "chat".into(),
        planned: requests,
        sent: requests,
        lag_p99_us: 2_000,
    };
    writer.write(END, "clients", done)?;
    let how = "completed".into();
    writer.write(END, "engine", Body::End { how })?;
    Ok(tokens)
}

fn header() -> RunHeader {
    RunHeader {
        schema: SCHEMA,
        run: "bench".into(),
        playbook: "ten minutes".into(),
        seed: 1,
        world: "none".into(),
        started: "2026-01-02T03:04:05Z".into(),
        version: "bench".into(),
        facts: IndexMap::new(),
    }
}

fn fault(writer: &mut RecordWriter) -> Result<()> {
    let receipt = FaultReceipt {
        fault: 0,
        fault_kind: "utility_outage".into(),
        target: "every utility".into(),
        nodes: Vec::new(),
        ups: vec!["ups-a".into()],
        requested_us: FAULT,
        injected_us: FAULT,
        until_us: HEAL,
        requested: IndexMap::new(),
    };
    writer.write(FAULT, "engine", Body::FaultInjected(receipt))?;
    writer.write(HEAL, "engine", Body::FaultHealed { fault: 0 })?;
    for (stage, at) in [("injected", FAULT), ("healed", HEAL)] {
        let report = WitnessReport {
            fault: 0,
            witness: "bus meter".into(),
            stage: stage.into(),
            effective: true,
            observed_us: Some(at),
            measured: [("grid.voltage_pu".to_string(), json!(0.0))].into(),
            problem: String::new(),
        };
        writer.write(at, "engine", Body::Witness(report))?;
    }
    Ok(())
}

/// A whole answer of 40 to 120 tokens; one of a hundred changes its replica.
fn row(number: u32, every: Micros, random: &mut ChaCha8Rng) -> LedgerRow {
    let scheduled_us = Micros::from(number) * every;
    let tokens: u32 = random.random_range(40..=120);
    let first = scheduled_us + random.random_range(40_000..60_000);
    let gaps = (1..tokens).map(|_| random.random_range(18_000..26_000));
    let token_us: Vec<Micros> = [first].into_iter().chain(gaps).collect();
    let end_us = token_us.iter().sum::<Micros>() + 500;
    let resumed = number % 100 == 99;
    let mut served_by = vec![("gpu-1".to_string(), 0)];
    if resumed {
        served_by.push(("gpu-2".into(), tokens / 2));
    }
    LedgerRow {
        id: format!("chat-{number}"),
        load: "chat".into(),
        class: "interactive".into(),
        prompt_tokens: 128,
        output_tokens: tokens,
        scheduled_us,
        sent_us: scheduled_us + 100,
        connected_us: Some(scheduled_us + 900),
        headers_us: Some(first - 300),
        token_us: token_us.into(),
        end_us,
        first_error_us: None,
        attempts: 1,
        status: Some(200),
        served_by,
        tokens,
        finish: Some("length".into()),
        done: true,
        termination: Termination::Clean,
        fate: if resumed {
            Fate::Resumed
        } else {
            Fate::Completed
        },
        detail: String::new(),
    }
}

/// What the gateway tells of a request: one attempt for each replica.
fn attempts(writer: &mut RecordWriter, row: &LedgerRow) -> Result<()> {
    for (index, (replica, from_token)) in (0..).zip(&row.served_by) {
        let last = index + 1 == row.served_by.len() as u32;
        let attempt = Attempt {
            request: row.id.clone(),
            index,
            replica: replica.clone(),
            start_us: row.sent_us,
            end_us: row.end_us,
            from_token: *from_token,
            tokens: row.tokens - from_token,
            end: if last {
                AttemptEnd::Completed
            } else {
                AttemptEnd::Eof
            },
        };
        writer.write(row.end_us, "edge-1", Body::Attempt(attempt))?;
    }
    Ok(())
}

/// Ten times a second, as the engine reads them.
fn meters(writer: &mut RecordWriter, t_us: Micros) -> Result<()> {
    let of = |names: &[&str], value: f64| names.iter().map(|n| (n.to_string(), value)).collect();
    let body = Body::Meters {
        voltage_pu: of(&["grid", "ups-a", "pdu-a"], 1.0),
        charge: of(&["ups-a"], 0.97),
        watts: of(&["edge-1", "gpu-1", "gpu-2"], 311.5),
    };
    writer.write(t_us, "plant", body)?;
    Ok(())
}
