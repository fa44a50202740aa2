//! How long people took: from a fault to the moments that they marked.

use serde::{Deserialize, Serialize};

use ridethrough_targets::clock::Micros;

use crate::judge::{Fault, RunFacts};
use crate::record::HumanAct;

/// The crew's times after one fault, in milliseconds; the first mark of each counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrewTimes {
    /// The fault's index in the plan.
    pub fault: usize,
    /// Its kind.
    pub kind: String,
    /// Its target.
    pub target: String,
    /// Until somebody noticed.
    pub noticed_ms: Option<f64>,
    /// Until they knew what to do.
    pub decided_ms: Option<f64>,
    /// Until they had done it.
    pub acted_ms: Option<f64>,
}

/// One line for each fault, where anybody marked anything.
pub fn crew_times(facts: &RunFacts) -> Vec<CrewTimes> {
    let mut all: Vec<CrewTimes> = facts.faults.iter().map(unmarked).collect();
    let mut marked = false;
    for (t_us, human) in &facts.humans {
        let (fault, which) = match &human.act {
            HumanAct::Noticed { fault } => (fault, 0),
            HumanAct::Decided { fault } => (fault, 1),
            HumanAct::Acted { fault } => (fault, 2),
            _ => continue,
        };
        let Some(of) = meant(facts, *fault, *t_us) else {
            continue;
        };
        let Some(times) = all.get_mut(of) else {
            continue;
        };
        let start_us = facts.faults[of].start_us();
        let place = match which {
            0 => &mut times.noticed_ms,
            1 => &mut times.decided_ms,
            _ => &mut times.acted_ms,
        };
        place.get_or_insert(t_us.saturating_sub(start_us) as f64 / 1e3);
        marked = true;
    }
    if marked { all } else { Vec::new() }
}

/// The place of the fault that a mark is of: the one that it names, else the last
/// one that had begun. A mark before any fault is of none.
fn meant(facts: &RunFacts, named: Option<usize>, t_us: Micros) -> Option<usize> {
    let begun = |fault: &Fault| fault.start_us() <= t_us;
    let all = facts.faults.iter().enumerate().filter(|(_, f)| begun(f));
    match named {
        Some(index) => all
            .filter(|(_, f)| f.receipt.fault == index)
            .map(|(n, _)| n)
            .next(),
        None => all.max_by_key(|(_, f)| f.start_us()).map(|(n, _)| n),
    }
}

fn unmarked(fault: &Fault) -> CrewTimes {
    CrewTimes {
        fault: fault.receipt.fault,
        kind: fault.receipt.fault_kind.clone(),
        target: fault.receipt.target.clone(),
        noticed_ms: None,
        decided_ms: None,
        acted_ms: None,
    }
}

impl CrewTimes {
    /// The three times in words; a dash where nobody marked one.
    pub fn words(&self) -> [String; 3] {
        [self.noticed_ms, self.decided_ms, self.acted_ms].map(|ms| match ms {
            Some(ms) => format!("{:.1} s", ms / 1e3),
            None => "–".into(),
        })
    }
}
