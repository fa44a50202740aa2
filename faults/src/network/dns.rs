//! Names that resolve to nothing, or to the wrong machine.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{
    Lookup, LookupError, NameAnswer, NameRule, RESOLVER_ATTEMPTS, RESOLVER_TIMEOUT,
};

use crate::catalogue;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// Victims and names that are looked at; more would only repeat the same rule.
const LOOKS_MAX: usize = 4;
/// A resolver that gives up sooner than this share of its patience was told to.
const PATIENCE_LEAST: f64 = 0.8;
/// A resolver that is told takes less than this.
const TOLD_MOST: Span = Span::from_millis(700);

/// Wrong answers to names, on some machines.
pub(crate) struct Dns {
    rule: NameRule,
    /// Victims and names, to be looked at.
    looks: Vec<(String, String)>,
}

impl Dns {
    pub(crate) fn new(aim: Aim, asked: catalogue::Dns) -> Self {
        let names = |node: &String| -> Vec<_> {
            let pair = |name: &String| (node.clone(), name.clone());
            asked.names.iter().map(pair).collect()
        };
        Self {
            looks: aim.nodes.iter().flat_map(names).take(LOOKS_MAX).collect(),
            rule: NameRule {
                nodes: aim.nodes,
                names: asked.names,
                answer: asked.answer,
            },
        }
    }

    /// Where the address of a machine is kept among what was measured before.
    fn key(node: &str, name: &str) -> String {
        format!("{node}:{name}")
    }

    /// Whether a lookup ended as the fault wants it.
    fn shows(&self, lookup: &Lookup, wrong: Option<Ipv4Addr>) -> bool {
        let patience = RESOLVER_TIMEOUT.micros() * u64::from(RESOLVER_ATTEMPTS);
        let waited = lookup.took.micros() as f64 >= patience as f64 * PATIENCE_LEAST;
        match (&self.rule.answer, lookup.found) {
            (NameAnswer::Nxdomain, Err(LookupError::NoSuchName)) => true,
            (NameAnswer::Servfail, Err(LookupError::TryAgain)) => lookup.took <= TOLD_MOST,
            (NameAnswer::Silence, Err(LookupError::TryAgain)) => waited,
            (NameAnswer::AddressOf(_), Ok(found)) => wrong == Some(found),
            _ => false,
        }
    }

    async fn look(&self, ground: &Ground, before: &IndexMap<String, f64>, there: bool) -> Finding {
        let mut finding = Finding::by("lookups on the machines");
        let mut problems = Vec::new();
        if self.looks.is_empty() {
            problems.push("there is no name to look up".to_string());
        }
        for (node, name) in &self.looks {
            let key = Self::key(node, name);
            let lookup = match ground.world.lookup(node, name).await {
                Ok(lookup) => lookup,
                Err(error) => {
                    problems.push(format!("no lookup of {name} on {node}: {error}"));
                    continue;
                }
            };
            let told = words(&lookup);
            finding = finding.with(&key, told.clone());
            let known = |key: &str| before.get(key).map(|bits| Ipv4Addr::from(*bits as u32));
            let wrong = match &self.rule.answer {
                NameAnswer::AddressOf(other) => known(&Self::key(node, other)),
                _ => None,
            };
            let right = known(&key);
            let healthy = lookup
                .found
                .ok()
                .is_some_and(|ip| right.is_none_or(|r| r == ip));
            if there && !self.shows(&lookup, wrong) {
                problems.push(format!("{name} on {node} is {told}"));
            } else if !there && !healthy {
                problems.push(format!("{name} on {node} is still {told}"));
            }
        }
        finding.conclude(problems)
    }
}

fn words(lookup: &Lookup) -> String {
    let took = lookup.took;
    match lookup.found {
        Ok(ip) => ip.to_string(),
        Err(LookupError::NoSuchName) => "no such name".into(),
        Err(LookupError::TryAgain) => format!("unknown after {took}"),
    }
}

#[async_trait]
impl Fault for Dns {
    fn requested(&self) -> IndexMap<String, Value> {
        let answer = match &self.rule.answer {
            NameAnswer::Nxdomain => "no such name".to_string(),
            NameAnswer::Servfail => "server failure".into(),
            NameAnswer::Silence => "silence".into(),
            NameAnswer::AddressOf(other) => format!("the address of {other}"),
        };
        IndexMap::from([("answer".into(), answer.into())])
    }

    /// The right addresses, as numbers.
    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        let wrong = match &self.rule.answer {
            NameAnswer::AddressOf(other) => Some(other),
            _ => None,
        };
        for (node, name) in &self.looks {
            for name in std::iter::once(name).chain(wrong) {
                if let Ok(lookup) = ground.world.lookup(node, name).await
                    && let Ok(ip) = lookup.found
                {
                    before.insert(Self::key(node, name), f64::from(u32::from(ip)));
                }
            }
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.rule.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let rule = ground.world.mislead(self.rule.clone()).await?;
        let at_us = ground.world.clock().now_us();
        Ok(Injected {
            at_us,
            distortion: Some(rule),
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, &injected.before, true).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        if let Some(rule) = injected.distortion {
            ground.world.lead(rule).await;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        self.look(ground, &injected.before, false).await
    }
}
