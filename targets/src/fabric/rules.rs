//! Which rules act on which direction.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::world::{Direction, Impairment, LinkRule, RuleCounters, RuleId};

use super::link::Nanos;
use super::tally::Tally;

/// Rules that are gone and whose counters can still be asked for.
const REMEMBERED: usize = 1024;

/// A rule as a direction gets it.
#[derive(Clone, Debug)]
pub(crate) struct Acting {
    pub(crate) id: RuleId,
    pub(crate) impairment: Impairment,
    pub(crate) port: Option<u16>,
    /// When it was installed.
    pub(crate) since: Nanos,
    pub(crate) tally: Arc<Tally>,
}

/// A rule with its nodes as port numbers.
#[derive(Clone, Debug)]
struct Resolved {
    a: Vec<usize>,
    /// Empty: every port that is not in `a`, ports added later too.
    b: Vec<usize>,
    direction: Direction,
    acting: Acting,
}

impl Resolved {
    fn forward(&self, from: usize, to: usize) -> bool {
        self.a.contains(&from) && self.far(to)
    }

    fn far(&self, port: usize) -> bool {
        if self.b.is_empty() {
            !self.a.contains(&port)
        } else {
            self.b.contains(&port)
        }
    }

    fn acts_on(&self, from: usize, to: usize) -> bool {
        from != to
            && (self.forward(from, to)
                || (self.direction == Direction::Both && self.forward(to, from)))
    }

    fn acts_on_sender(&self, port: usize, ports: usize) -> bool {
        (0..ports).any(|to| self.acts_on(port, to))
    }

    fn needs_packets(&self) -> bool {
        match self.acting.impairment {
            Impairment::Drop
            | Impairment::Flap { .. }
            | Impairment::Delay { .. }
            | Impairment::Reset { .. } => false,
            Impairment::Loss { .. }
            | Impairment::GilbertElliott(_)
            | Impairment::FourState(_)
            | Impairment::Rate { .. }
            | Impairment::Duplicate { .. }
            | Impairment::Reorder { .. }
            | Impairment::Corrupt { .. }
            | Impairment::MtuBlackHole { .. } => true,
        }
    }
}

/// The rules that are installed, in order of installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleBook {
    rules: BTreeMap<RuleId, Resolved>,
    /// Of rules that are there, and of those that went last.
    tallies: BTreeMap<RuleId, Arc<Tally>>,
    last: u64,
}

impl RuleBook {
    /// Adds a rule at `now`. `ports` finds the ports of a node.
    ///
    /// # Errors
    /// Names the first node that has no port.
    pub(crate) fn install(
        &mut self,
        rule: &LinkRule,
        now: Nanos,
        ports: impl Fn(&str) -> Vec<usize>,
    ) -> Result<RuleId, String> {
        let resolve = |names: &[String]| -> Result<Vec<usize>, String> {
            let mut all = Vec::new();
            for name in names {
                match ports(name) {
                    none if none.is_empty() => return Err(name.clone()),
                    some => all.extend(some),
                }
            }
            Ok(all)
        };
        let (a, b) = (resolve(&rule.a)?, resolve(&rule.b)?);
        self.last += 1;
        let id = RuleId(self.last);
        let acting = Acting {
            id,
            impairment: rule.impairment.clone(),
            port: rule.port,
            since: now,
            tally: Arc::default(),
        };
        self.tallies.insert(id, Arc::clone(&acting.tally));
        if self.tallies.len() > REMEMBERED + self.rules.len() {
            self.forget();
        }
        let resolved = Resolved {
            a,
            b,
            direction: rule.direction,
            acting,
        };
        self.rules.insert(id, resolved);
        Ok(id)
    }

    /// Removes a rule; tells whether there was one.
    pub(crate) fn remove(&mut self, id: RuleId) -> bool {
        self.rules.remove(&id).is_some()
    }

    /// Forgets the counters of the rule that has been gone for longest.
    fn forget(&mut self) {
        let gone = |id: &&RuleId| !self.rules.contains_key(id);
        if let Some(oldest) = self.tallies.keys().find(gone).copied() {
            self.tallies.remove(&oldest);
        }
    }

    /// What a rule has met, also after it was removed.
    pub(crate) fn counters(&self, id: RuleId) -> Option<RuleCounters> {
        self.tallies.get(&id).map(|tally| tally.read())
    }

    /// The rules on frames from one port to another.
    pub(crate) fn between(&self, from: usize, to: usize) -> Vec<Acting> {
        let acting = self.rules.values().filter(|r| r.acts_on(from, to));
        acting.map(|rule| rule.acting.clone()).collect()
    }

    /// Whether a rule on what this port sends must see single packets.
    pub(crate) fn needs_packets(&self, port: usize, ports: usize) -> bool {
        self.rules
            .values()
            .any(|rule| rule.needs_packets() && rule.acts_on_sender(port, ports))
    }
}

#[cfg(test)]
mod tests;
