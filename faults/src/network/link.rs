//! What faults of links share: one rule on the fabric, and a look at each pair
//! of nodes.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{
    Direction, Impairment, LinkRule, PROBE_PAYLOAD_MIN, ProbeReport, ProbeSpec, RuleId, Train,
};

use super::pairs::pairs;
use crate::catalogue::OnLink;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How often a rule's counters are read while its traffic is waited for.
const COUNT_AGAIN: Duration = Duration::from_millis(50);
/// The least that is waited for it where the fault's end is not known.
const COUNT_LEAST: Span = Span::from_secs(1);

/// One pair of nodes, to be looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) direction: Direction,
    pub(crate) port: Option<u16>,
    /// What [`Sign::before`] measured.
    pub(crate) before: Option<f64>,
}

/// A train of probe packets.
#[derive(Clone, Copy)]
pub(crate) struct Shots {
    pub(crate) count: u32,
    pub(crate) interval: Span,
    pub(crate) wait: Span,
    pub(crate) payload: u32,
}

impl Shots {
    /// Small packets, one a millisecond.
    pub(crate) fn small(count: u32) -> Self {
        Self {
            count,
            interval: Span::from_millis(1),
            wait: Span::from_millis(300),
            payload: PROBE_PAYLOAD_MIN,
        }
    }
}

impl Look<'_> {
    /// Sends a train.
    pub(crate) async fn probe(&self, shots: Shots) -> Result<ProbeReport, String> {
        let spec = ProbeSpec {
            from: self.from.into(),
            to: self.to.into(),
            count: shots.count,
            interval: shots.interval,
            wait: shots.wait,
            payload: shots.payload,
            port: self.port,
        };
        let report = self.ground.world.probe(&spec).await;
        report.map_err(|error| format!("no probe {self}: {error}"))
    }

    /// The ways that are hit, with what arrived on them.
    pub(crate) fn hit<'r>(
        &self,
        report: &'r ProbeReport,
    ) -> Result<Vec<(String, &'r Train)>, String> {
        let Some(there) = &report.there else {
            return Err(format!("{} does not tell what arrived", self.to));
        };
        let mut ways = vec![(format!("{}->{}", self.from, self.to), there)];
        if self.direction == Direction::Both {
            ways.push((format!("{}->{}", self.to, self.from), &report.back));
        }
        Ok(ways)
    }
}

impl std::fmt::Display for Look<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}->{}", self.from, self.to)
    }
}

/// What was seen of a pair.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    pub(crate) measured: Vec<(String, Value)>,
    pub(crate) problems: Vec<String>,
}

impl Sight {
    pub(crate) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    pub(crate) fn measured(&mut self, name: String, value: impl Into<Value>) {
        self.measured.push((name, value.into()));
    }
}

/// How a kind of fault shows on a pair of nodes.
#[async_trait]
pub(crate) trait Sign: Send + Sync {
    /// What was asked, in the units that are measured.
    fn asked(&self) -> IndexMap<String, Value>;

    /// A number to compare with, before anything is done.
    async fn before(&self, _: Look<'_>) -> Result<Option<f64>, String> {
        Ok(None)
    }

    /// Looks at a pair; `there` tells whether the fault should be.
    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String>;

    /// Puts away what [`Sign::before`] left behind.
    async fn forget(&self, _: &Ground, _: f64) {}
}

/// A rule on a link with its sign.
pub(crate) struct LinkFault<S> {
    rule: LinkRule,
    pairs: Vec<(String, String)>,
    sign: S,
}

impl<S: Sign> LinkFault<S> {
    pub(crate) fn new(aim: Aim, on: OnLink<'_>, impairment: Impairment, sign: S) -> Self {
        let (a, b) = aim.link.unwrap_or_default();
        Self {
            pairs: pairs(&a, &b),
            rule: LinkRule {
                a,
                b,
                direction: on.direction,
                port: on.port,
                impairment,
            },
            sign,
        }
    }

    fn looks<'a>(&'a self, ground: &'a Ground, before: &'a IndexMap<String, f64>) -> Vec<Look<'a>> {
        let look = |(from, to): &'a (String, String)| Look {
            ground,
            from,
            to,
            direction: self.rule.direction,
            port: self.rule.port,
            before: before.get(&format!("{from}->{to}")).copied(),
        };
        self.pairs.iter().map(look).collect()
    }

    async fn see(&self, ground: &Ground, injected: &Injected, there: bool) -> Sight {
        let mut sight = Sight::default();
        if self.pairs.is_empty() {
            sight.problem("there is no pair of nodes to probe".into());
        }
        for look in self.looks(ground, &injected.before) {
            if let Err(problem) = self.sign.look(look, there, &mut sight).await {
                sight.problem(problem);
            }
        }
        sight
    }
}

/// Adds what a rule has met; a rule for one port must have met something. Waits
/// for that until the fault's end.
pub(crate) async fn count(
    ground: &Ground,
    rules: &[RuleId],
    port: Option<u16>,
    until_us: u64,
    sight: &mut Sight,
) {
    let world = &ground.world;
    let until_us = until_us.max(world.clock().now_us() + COUNT_LEAST.micros());
    for rule in rules {
        let counters = loop {
            let counters = world.rule_counters(*rule).unwrap_or_default();
            if port.is_none() || counters.matched > 0 || world.clock().now_us() >= until_us {
                break counters;
            }
            tokio::time::sleep(COUNT_AGAIN).await;
        };
        sight.measured("frames_matched".into(), counters.matched);
        sight.measured("frames_acted".into(), counters.acted);
        if let Some(port) = port
            && counters.matched == 0
        {
            sight.problem(format!("the filter matched no traffic: port {port}"));
        }
    }
}

fn finding(sight: Sight) -> Finding {
    let mut finding = Finding::by("probe packets");
    for (name, value) in sight.measured {
        finding = finding.with(&name, value);
    }
    finding.conclude(sight.problems)
}

/// Puts a rule on the fabric.
pub(super) fn install(ground: &Ground, rule: &LinkRule) -> Result<Injected, FaultError> {
    if rule.a.is_empty() {
        return Err(FaultError::NoTarget);
    }
    let rule = ground.world.install(rule.clone())?;
    Ok(Injected {
        at_us: ground.world.clock().now_us(),
        rules: vec![rule],
        ..Injected::default()
    })
}

#[async_trait]
impl<S: Sign> Fault for LinkFault<S> {
    fn requested(&self) -> IndexMap<String, Value> {
        self.sign.asked()
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let nothing = IndexMap::new();
        let mut before = IndexMap::new();
        for look in self.looks(ground, &nothing) {
            // What cannot be measured now, the witness misses then.
            if let Ok(Some(value)) = self.sign.before(look).await {
                before.insert(look.to_string(), value);
            }
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        install(ground, &self.rule)
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut sight = self.see(ground, injected, true).await;
        if sight.problems.is_empty() {
            let (port, until_us) = (self.rule.port, injected.until_us);
            count(ground, &injected.rules, port, until_us, &mut sight).await;
        }
        let mut finding = finding(sight);
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        for rule in &injected.rules {
            ground.world.remove(*rule);
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        let sight = self.see(ground, injected, false).await;
        for before in injected.before.values() {
            self.sign.forget(ground, *before).await;
        }
        finding(sight)
    }
}

/// What the plan's check does not let through: no target, and so no injection.
pub(crate) struct Nothing;

#[async_trait]
impl Fault for Nothing {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::new()
    }

    async fn inject(&self, _: &Ground) -> Result<Injected, FaultError> {
        Err(FaultError::NoTarget)
    }

    async fn witness(&self, _: &Ground, _: &Injected) -> Finding {
        Finding::default().conclude(vec!["there is nothing to see".into()])
    }

    async fn heal(&self, _: &Ground, _: &Injected) -> Result<(), FaultError> {
        Ok(())
    }

    async fn witness_healed(&self, _: &Ground, _: &Injected) -> Finding {
        Finding::default().conclude(vec!["there is nothing to see".into()])
    }
}
