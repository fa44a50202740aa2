//! Which rules act on which direction.

use std::collections::BTreeMap;

use crate::world::{Direction, Impairment, LinkRule, RuleId};

/// A rule with its nodes as port numbers.
#[derive(Clone, Debug)]
struct Resolved {
    a: Vec<usize>,
    /// Empty: every port that is not in `a`, ports added later too.
    b: Vec<usize>,
    direction: Direction,
    impairment: Impairment,
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
        matches!(
            self.impairment,
            Impairment::Loss { .. } | Impairment::Rate { .. }
        )
    }
}

/// The rules that are installed, in order of installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleBook {
    rules: BTreeMap<RuleId, Resolved>,
    last: u64,
}

impl RuleBook {
    /// Adds a rule. `port` finds the port of a node.
    ///
    /// # Errors
    /// Names the first node that has no port.
    pub(crate) fn install(
        &mut self,
        rule: &LinkRule,
        port: impl Fn(&str) -> Option<usize>,
    ) -> Result<RuleId, String> {
        let resolve = |names: &[String]| -> Result<Vec<usize>, String> {
            let find = |name: &String| port(name).ok_or_else(|| name.clone());
            names.iter().map(find).collect()
        };
        let resolved = Resolved {
            a: resolve(&rule.a)?,
            b: resolve(&rule.b)?,
            direction: rule.direction,
            impairment: rule.impairment.clone(),
        };
        self.last += 1;
        let id = RuleId(self.last);
        self.rules.insert(id, resolved);
        Ok(id)
    }

    /// Removes a rule; tells whether there was one.
    pub(crate) fn remove(&mut self, id: RuleId) -> bool {
        self.rules.remove(&id).is_some()
    }

    /// The rules on frames from one port to another.
    pub(crate) fn between(&self, from: usize, to: usize) -> Vec<(RuleId, Impairment)> {
        let acting = self.rules.iter().filter(|(_, r)| r.acts_on(from, to));
        acting.map(|(id, r)| (*id, r.impairment.clone())).collect()
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
