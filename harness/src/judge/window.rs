//! The part of a run that an assertion speaks of.

use std::ops::Range;

use ridethrough_targets::clock::Micros;

use super::facts::{Fault, Hit, RunFacts};

/// A phase, or the whole of a run.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    during: Option<&'a str>,
    range: Range<Micros>,
}

impl<'a> Window<'a> {
    /// The phase of this name, or everything; an error, in words, where the
    /// record has no such phase.
    pub(crate) fn of(facts: &RunFacts, during: Option<&'a String>) -> Result<Self, String> {
        let range = match during {
            None => 0..Micros::MAX,
            Some(name) => {
                let phase = facts.phase(name);
                let phase = phase.ok_or_else(|| format!("the record has no phase `{name}`"))?;
                phase.start_us..phase.end_us
            }
        };
        Ok(Self {
            during: during.map(String::as_str),
            range,
        })
    }

    /// Whether a moment lies in it.
    pub(crate) fn has(&self, t_us: Micros) -> bool {
        self.range.contains(&t_us)
    }

    /// Its bounds.
    pub(crate) fn range(&self) -> Range<Micros> {
        self.range.clone()
    }

    /// Faults that begin in it. They are its faults for as long as they last.
    pub(crate) fn faults<'f>(&self, facts: &'f RunFacts) -> Vec<&'f Fault> {
        let own = |fault: &&Fault| self.has(fault.start_us());
        facts.faults.iter().filter(own).collect()
    }

    /// Nodes while its faults had them.
    pub(crate) fn hits<'f>(&self, facts: &'f RunFacts) -> Vec<&'f Hit> {
        let fault = |hit: &Hit| facts.faults.get(hit.fault);
        let own = |hit: &&Hit| fault(hit).is_some_and(|f| self.has(f.start_us()));
        facts.hits.iter().filter(own).collect()
    }

    /// When the first of its faults began.
    pub(crate) fn first_fault_us(&self, facts: &RunFacts) -> Option<Micros> {
        self.faults(facts).into_iter().map(Fault::start_us).min()
    }

    /// When the last of its faults was healed.
    pub(crate) fn last_heal_us(&self, facts: &RunFacts) -> Option<Micros> {
        let heals = self.faults(facts).into_iter().filter_map(|f| f.healed_us);
        heals.max()
    }

    /// When, after a moment, a fault begins that is not its own: what happens
    /// from then on may have another cause.
    pub(crate) fn disturbed_us(&self, facts: &RunFacts, after_us: Micros) -> Micros {
        let starts = facts.faults.iter().map(Fault::start_us);
        let others = starts.filter(|start| *start > after_us && !self.has(*start));
        others.min().unwrap_or(Micros::MAX)
    }

    /// In words, with a leading space; empty for the whole run.
    pub(crate) fn words(&self) -> String {
        let phase = self.during.map(|phase| format!(" during {phase}"));
        phase.unwrap_or_default()
    }
}
