//! Faults that people inject by hand: armed, confirmed, and within what was agreed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::time::Instant;

use super::podium::{Manual, Refused};
use crate::judge::is_aimed;
use crate::plan::{Plan, PlannedFault};
use crate::playbook::BlastRadius;

/// The faults of a plan as hands reach them.
#[derive(Default)]
pub(super) struct Hand {
    catalogue: BTreeMap<usize, PlannedFault>,
    /// Until when each is armed.
    armed: BTreeMap<usize, Instant>,
    /// Confirmed, and not yet taken.
    ordered: VecDeque<PlannedFault>,
    /// On their way or live, those of the timeline too.
    live: BTreeMap<usize, PlannedFault>,
    limit: BlastRadius,
    racks: BTreeMap<String, String>,
    /// The index of the next injection: each is a fault of its own in the record.
    next: usize,
    closed: bool,
}

fn refused<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

impl Hand {
    pub(super) fn new(plan: &Plan) -> Self {
        let manual = plan.faults.iter().filter(|fault| fault.manual);
        let nodes = plan.playbook.stack.nodes.iter();
        Self {
            catalogue: manual.map(|fault| (fault.index, fault.clone())).collect(),
            limit: plan.playbook.blast_radius.clone().unwrap_or_default(),
            racks: nodes
                .map(|(n, def)| (n.clone(), def.rack.clone()))
                .collect(),
            next: plan.faults.len(),
            ..Self::default()
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.armed.clear();
    }

    pub(super) fn lives(&mut self, planned: &PlannedFault) {
        self.live.insert(planned.index, planned.clone());
    }

    pub(super) fn over(&mut self, fault: usize) {
        self.live.remove(&fault);
    }

    /// The next one that was confirmed. Until it lives it counts as live.
    pub(super) fn next(&mut self) -> Option<PlannedFault> {
        self.ordered.pop_front()
    }

    pub(super) fn catalogue(&self, now: Instant) -> Vec<Manual> {
        let shown = |fault: &PlannedFault| Manual {
            fault: fault.index,
            name: fault.name.clone(),
            target: fault.target.clone(),
            for_ms: fault.lasts.micros() / 1_000,
            live: self.live.values().any(|live| live.written == fault.written),
            armed_ms: self.armed.get(&fault.index).and_then(|until| {
                let left = until.saturating_duration_since(now).as_millis() as u64;
                (left > 0).then_some(left)
            }),
        };
        self.catalogue.values().map(shown).collect()
    }

    pub(super) fn arm(&mut self, fault: usize, until: Instant) -> Result<(), Refused> {
        self.can(fault)?;
        self.armed.insert(fault, until);
        Ok(())
    }

    /// Returns the index under which it will be in the record.
    pub(super) fn confirm(&mut self, fault: usize, now: Instant) -> Result<usize, Refused> {
        // Whatever comes of it, it is armed no longer.
        let Some(until) = self.armed.remove(&fault) else {
            return refused("it is not armed: arm it first");
        };
        if until <= now {
            return refused("it was armed too long ago: arm it again");
        }
        let mut planned = self.can(fault)?.clone();
        planned.index = self.next;
        self.next += 1;
        self.live.insert(planned.index, planned.clone());
        let index = planned.index;
        self.ordered.push_back(planned);
        Ok(index)
    }

    /// Whether a fault may be injected now.
    fn can(&self, fault: usize) -> Result<&PlannedFault, Refused> {
        let Some(planned) = self.catalogue.get(&fault) else {
            return refused("the playbook has no such fault to inject by hand");
        };
        if self.closed {
            return refused("the timeline is over");
        }
        let same = |live: &&PlannedFault| meets(live, planned);
        if let Some(live) = self.live.values().find(same) {
            let name = &live.name;
            return refused(format!("{name} is there: healing one would heal the other"));
        }
        match self.too_much(planned) {
            Some(much) => refused(much),
            None => Ok(planned),
        }
    }

    /// Why it would hit more than the blast radius allows, by what faults are aimed
    /// at. What they bring about is watched while the run goes on.
    fn too_much(&self, planned: &PlannedFault) -> Option<String> {
        let all = self.live.values().chain([planned]);
        let aimed = all.filter(|fault| is_aimed(fault.kind_name));
        let hit: BTreeSet<&String> = aimed.flat_map(|fault| &fault.reach.nodes).collect();
        let racks: BTreeSet<&String> = hit.iter().filter_map(|n| self.racks.get(*n)).collect();
        let kinds = [
            (self.limit.nodes, hit.len(), "machines"),
            (self.limit.racks, racks.len(), "racks"),
        ];
        kinds.into_iter().find_map(|(most, hit, what)| {
            let most = most?;
            (hit > most as usize).then(|| {
                format!("it would have faults in {hit} {what}, and the blast radius allows {most}")
            })
        })
    }
}

/// Two faults that cannot be there at one time.
fn meets(a: &PlannedFault, b: &PlannedFault) -> bool {
    let shared = |a: &[String], b: &[String]| a.iter().any(|name| b.contains(name));
    let one_kind = a.kind_name == b.kind_name && a.target == b.target;
    a.written == b.written || one_kind || shared(&a.reach.utilities, &b.reach.utilities)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::plan::plan_source;

    fn hand(radius: &str) -> Hand {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks/power/by-hand.yaml");
        let text = format!(
            "name: by hand\nsite: ../sites/two-feed.yaml\nstack: ../stacks/reference.yaml\n\
             load:\n  - name: chat\n    arrivals: {{constant: {{rate: 5/s}}}}\n\
             phases: {{all: 10s}}\nblast_radius: {{{radius}}}\n\
             faults:\n\
             \x20 - {{name: one, inject: {{hang: {{node: gpu-1}}}}, for: 2s, manual: true}}\n\
             \x20 - {{name: two, inject: {{hang: {{node: gpu-2}}}}, for: 2s, manual: true}}\n\
             assert:\n  - continuity: {{lost: 5, torn: 5}}\n"
        );
        match plan_source(&root, &text) {
            Ok((_, plan)) => Hand::new(&plan),
            Err(errors) => panic!("{}", errors.render(false)),
        }
    }

    const LATER: Duration = Duration::from_secs(10);

    #[test]
    fn it_takes_two_steps_within_their_time() {
        let mut hand = hand("nodes: 2");
        let now = Instant::now();
        let said = hand.confirm(0, now).unwrap_err().to_string();
        assert!(said.contains("arm it first"), "{said}");
        hand.arm(0, now + LATER).unwrap();
        let said = hand.confirm(0, now + LATER).unwrap_err().to_string();
        assert!(said.contains("too long ago"), "{said}");
        assert!(hand.confirm(0, now).is_err(), "the late try disarmed it");
        hand.arm(0, now + LATER).unwrap();
        assert_eq!(hand.confirm(0, now), Ok(2), "an index of its own");
        assert_eq!(hand.next().map(|fault| fault.index), Some(2));
        let said = hand.arm(0, now + LATER).unwrap_err().to_string();
        assert!(said.contains("healing one would heal the other"), "{said}");
        hand.over(2);
        assert!(hand.arm(0, now + LATER).is_ok());
        assert!(hand.arm(7, now + LATER).is_err(), "not in the playbook");
        hand.close();
        assert!(hand.confirm(0, now).is_err());
    }

    #[test]
    fn the_blast_radius_is_kept() {
        let mut hand = hand("nodes: 1");
        let now = Instant::now();
        hand.arm(0, now + LATER).unwrap();
        hand.confirm(0, now).unwrap();
        let said = hand.arm(1, now + LATER).unwrap_err().to_string();
        assert!(said.contains("blast radius allows 1"), "{said}");
    }
}
