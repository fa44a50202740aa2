//! Names of nodes, and what resolvers can be made to answer instead.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// How long a resolver waits for an answer, and how often it asks: what the
/// nodes' `resolv.conf` says.
pub const RESOLVER_TIMEOUT: Span = Span::from_secs(1);
/// See [`RESOLVER_TIMEOUT`].
pub const RESOLVER_ATTEMPTS: u32 = 2;

/// What a resolver is made to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameAnswer {
    /// No such name (RFC 1035, response code 3).
    Nxdomain,
    /// The server failed (response code 2).
    Servfail,
    /// Nothing, ever.
    Silence,
    /// The address of this node.
    AddressOf(String),
}

/// Some nodes get wrong answers to some names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRule {
    /// Whose resolvers.
    pub nodes: Vec<String>,
    /// For which names; empty means all.
    pub names: Vec<String>,
    /// What they answer.
    pub answer: NameAnswer,
}

/// What a resolver on a node found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The address, or why there is none.
    pub found: Result<Ipv4Addr, LookupError>,
    /// How long it took.
    pub took: Span,
}

/// Why a name has no address, as `getaddrinfo` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupError {
    /// There is no such name (`EAI_NONAME`).
    NoSuchName,
    /// It cannot be told now (`EAI_AGAIN`): the server failed or is silent.
    TryAgain,
}

/// The rules that are in force, in order of installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameBook {
    rules: BTreeMap<u64, NameRule>,
    last: u64,
}

impl NameBook {
    /// Adds a rule; returns its number.
    pub(crate) fn install(&mut self, rule: NameRule) -> u64 {
        self.last += 1;
        self.rules.insert(self.last, rule);
        self.last
    }

    /// Removes a rule, and returns it.
    pub(crate) fn remove(&mut self, number: u64) -> Option<NameRule> {
        self.rules.remove(&number)
    }

    /// What a node's resolver is made to answer to a name; the first rule wins.
    pub(crate) fn answer(&self, node: &str, name: &str) -> Option<&NameAnswer> {
        let hits = |rule: &&NameRule| {
            let named = |names: &[String], one: &str| names.iter().any(|n| n == one);
            named(&rule.nodes, node) && (rule.names.is_empty() || named(&rule.names, name))
        };
        self.rules.values().find(hits).map(|rule| &rule.answer)
    }

    /// The rules on a node.
    // A virtual world asks for answers only.
    #[cfg_attr(not(linux_worlds), allow(dead_code))]
    pub(crate) fn of_node(&self, node: &str) -> Vec<NameRule> {
        let of_it = |rule: &&NameRule| rule.nodes.iter().any(|n| n == node);
        self.rules.values().filter(of_it).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(nodes: &[&str], names: &[&str], answer: NameAnswer) -> NameRule {
        let own = |all: &[&str]| all.iter().map(|name| name.to_string()).collect();
        NameRule {
            nodes: own(nodes),
            names: own(names),
            answer,
        }
    }

    #[test]
    fn the_first_rule_that_hits_answers() {
        let mut book = NameBook::default();
        let first = book.install(rule(&["gw"], &["gpu-1"], NameAnswer::Nxdomain));
        book.install(rule(&["gw", "sup"], &[], NameAnswer::Silence));
        assert_eq!(book.answer("gw", "gpu-1"), Some(&NameAnswer::Nxdomain));
        assert_eq!(book.answer("gw", "gpu-2"), Some(&NameAnswer::Silence));
        assert_eq!(book.answer("gpu-1", "gw"), None);
        assert_eq!(book.of_node("sup").len(), 1);
        assert!(book.remove(first).is_some() && book.remove(first).is_none());
        assert_eq!(book.answer("gw", "gpu-1"), Some(&NameAnswer::Silence));
    }
}
