//! Everything that the page's scripts show, in as few bytes as is sensible.

use indexmap::IndexMap;
use serde::Serialize;

use ridethrough_targets::clock::Micros;

use super::bins::{Bins, GROUPS, bins};
use super::pack::growing;
use super::requests::{Requests, requests};
use super::site::{Part, nominal, parts};
use super::story::Story;
use super::words::Words;
use crate::judge::{Fault, Judgement, sentence};
use crate::plan::Plan;
use crate::record::{Human, HumanAct, WitnessReport};

/// The version of this structure; the scripts are of the same program.
const VERSION: u32 = 1;
/// Points of one number over time.
const POINTS: usize = 1_200;

/// What the scripts build their model from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PageData {
    version: u32,
    verdict: &'static str,
    sentence: String,
    /// Playbook times count from here.
    origin_us: Micros,
    /// The last event.
    end_us: Micros,
    phases: Vec<(String, Micros, Micros)>,
    faults: Vec<FaultMark>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    humans: Vec<HumanMark>,
    nominal: IndexMap<&'static str, f64>,
    parts: Vec<Part>,
    levels: Vec<Level>,
    states: Vec<States>,
    groups: Vec<&'static str>,
    bins: Bins,
    requests: Requests,
    words: Vec<String>,
}

/// A fault as the axis draws it.
#[derive(Clone, Debug, Serialize)]
struct FaultMark {
    name: String,
    target: String,
    /// From when until when it was asked.
    asked: (Micros, Micros),
    /// When its witness saw it, and saw that it was gone.
    seen: (Option<Micros>, Option<Micros>),
    effective: bool,
}

/// What somebody of the crew did.
#[derive(Clone, Debug, Serialize)]
struct HumanMark {
    t: Micros,
    act: &'static str,
    text: String,
}

/// A number over time.
#[derive(Clone, Debug, Serialize)]
struct Level {
    of: String,
    what: &'static str,
    /// Growing.
    t: String,
    v: Vec<f64>,
}

/// A state over time.
#[derive(Clone, Debug, Serialize)]
struct States {
    of: String,
    what: &'static str,
    /// Growing.
    t: String,
    /// Places in the words.
    v: Vec<u64>,
}

/// The data of one page.
pub(crate) fn data(judgement: &Judgement, story: &Story, plan: &Plan) -> PageData {
    let facts = &judgement.facts;
    let mut words = Words::default();
    let states = story.states.iter().map(|((of, what), steps)| States {
        of: of.clone(),
        what,
        t: growing(steps.points().iter().map(|(t_us, _)| *t_us)),
        v: steps.points().iter().map(|(_, to)| words.of(to)).collect(),
    });
    let states = states.collect();
    let levels = story.levels.iter().map(|((of, what), steps)| {
        let points = steps.thinned(POINTS);
        Level {
            of: of.clone(),
            what,
            t: growing(points.iter().map(|(t_us, _)| *t_us)),
            v: points.into_iter().map(|(_, value)| value).collect(),
        }
    });
    let levels = levels.collect();
    let requests = requests(facts, &mut words);
    let phases = facts.phases.iter();
    PageData {
        version: VERSION,
        verdict: verdict(judgement),
        sentence: sentence(judgement),
        origin_us: facts.origin_us(),
        end_us: facts.last_us,
        phases: phases
            .map(|p| (p.name.clone(), p.start_us, p.end_us))
            .collect(),
        faults: facts.faults.iter().map(mark).collect(),
        humans: facts.humans.iter().map(human).collect(),
        nominal: nominal(plan),
        parts: parts(plan),
        levels,
        states,
        groups: GROUPS.iter().map(|(_, name)| *name).collect(),
        bins: bins(facts),
        requests,
        words: words.all(),
    }
}

/// The verdict's word, which is also the name of its colour.
pub(crate) fn verdict(judgement: &Judgement) -> &'static str {
    match judgement.verdict {
        crate::judge::Verdict::Pass => "pass",
        crate::judge::Verdict::Fail => "fail",
        crate::judge::Verdict::Invalid => "invalid",
    }
}

fn mark(fault: &Fault) -> FaultMark {
    let receipt = &fault.receipt;
    // That a fault is gone is often seen without a moment of its own.
    let seen = |report: Option<&WitnessReport>, otherwise: Option<Micros>| {
        let report = report.filter(|r| r.effective)?;
        report.observed_us.or(otherwise)
    };
    FaultMark {
        name: receipt.fault_kind.clone(),
        target: receipt.target.clone(),
        asked: (receipt.requested_us, receipt.until_us),
        seen: (
            seen(fault.injected.as_ref(), Some(receipt.injected_us)),
            seen(fault.healed.as_ref(), fault.healed_us),
        ),
        effective: fault.injected.as_ref().is_some_and(|r| r.effective),
    }
}

fn human((t_us, human): &(Micros, Human)) -> HumanMark {
    let (act, text) = match &human.act {
        HumanAct::Note { text } => ("note", text.as_str()),
        HumanAct::Noticed { .. } => ("noticed", ""),
        HumanAct::Decided { .. } => ("decided", ""),
        HumanAct::Acted { .. } => ("acted", ""),
        HumanAct::Stopped => ("stopped", ""),
        HumanAct::Released { .. } => ("released", ""),
        HumanAct::Skipped { .. } => ("skipped", ""),
        HumanAct::Armed { .. } => ("armed", ""),
        HumanAct::Confirmed { .. } => ("confirmed", ""),
    };
    HumanMark {
        t: *t_us,
        act,
        text: text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::word;
    use crate::load::Group;

    /// Scripts know groups by the words in which rows tell theirs.
    #[test]
    fn groups_are_told_by_one_name() {
        for (group, name) in super::GROUPS {
            assert_eq!(word(&group), name);
        }
        assert_eq!(word(&Group::Whole), "whole");
    }
}
