//! Machines that run short of processor time, memory or file descriptors.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::world::{Inquiry, NodeState, Shortage, Supply};

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How often a machine is looked at to see how much of its time is taken.
const LOOKS: u32 = 150;
/// How far the share of looks at which it stood still may be off: four standard
/// deviations of that many looks at one half, the worst case.
const TOLERANCE: f64 = 0.17;
/// Descriptors that a service may open between the look before a fault and the
/// fault.
const CHURN: f64 = 64.0;
/// What a probe asks for beyond what is left: more than a cache of free pages
/// could hide.
const BEYOND: u64 = 32 << 20;

/// Machines that lack something.
pub(crate) struct Short {
    nodes: Vec<String>,
    shortage: Shortage,
}

impl Short {
    pub(crate) fn new(aim: Aim, shortage: Shortage) -> Self {
        Self {
            nodes: aim.nodes,
            shortage,
        }
    }

    async fn look(&self, ground: &Ground, injected: &Injected, short: bool) -> Finding {
        let mut finding = Finding::by(match self.shortage {
            Shortage::Cpu { .. } => "process states",
            Shortage::Memory { .. } => "a process that asks for memory",
            Shortage::Files { .. } => "descriptor counts",
        });
        let mut problems = Vec::new();
        for node in &self.nodes {
            let seen = match self.shortage {
                Shortage::Cpu { stolen, .. } => {
                    let expected = if short { stolen.get() } else { 0.0 };
                    self.stood_still(ground, node, expected).await
                }
                Shortage::Memory { leave_bytes } => {
                    memory(ground, node, leave_bytes + BEYOND, short).await
                }
                Shortage::Files { leave } => {
                    let told = |what: &str| injected.before.get(&format!("{node}.{what}")).copied();
                    // It may have opened more between the look and the fault.
                    let then = told("open_then").unwrap_or_default();
                    let open = told("open").map(|open| open.max(then));
                    let before = open.zip(told("limit"));
                    files(ground, node, leave, short, before).await
                }
            };
            match seen {
                Ok((name, value, problem)) => {
                    finding = finding.with(&format!("{node}.{name}"), value);
                    problems.extend(problem);
                }
                Err(error) => problems.push(format!("{node} cannot be asked: {error}")),
            }
        }
        finding.conclude(problems)
    }

    /// The share of looks at which nothing of the machine ran. They are a
    /// little more than an eighth of a turn apart, so that they fall all over
    /// it.
    async fn stood_still(&self, ground: &Ground, node: &str, expected: f64) -> Seen {
        let Shortage::Cpu { period, .. } = self.shortage else {
            return Err("not a theft".into());
        };
        let between = period.duration() / 8 + Duration::from_millis(1);
        let mut still = 0;
        for _ in 0..LOOKS {
            let state = ground.world.state(node).await;
            let state = state.map_err(|error| error.to_string())?;
            still += u32::from(state == NodeState::Stopped);
            tokio::time::sleep(between).await;
        }
        let share = f64::from(still) / f64::from(LOOKS);
        let problem = ((share - expected).abs() > TOLERANCE.min(self.half()))
            .then(|| format!("{node} stands still {share:.2} of the time, not {expected:.2}"));
        Ok(("stolen", share.into(), problem))
    }

    /// Half of the share that is taken: no theft at all is never close enough.
    fn half(&self) -> f64 {
        match self.shortage {
            Shortage::Cpu { stolen, .. } => stolen.get() / 2.0,
            _ => 0.0,
        }
    }
}

/// A name, a value, and what is wrong with it.
type Seen = Result<(&'static str, Value, Option<String>), String>;

async fn memory(ground: &Ground, node: &str, bytes: u64, short: bool) -> Seen {
    let answer = ground.world.inquire(node, Inquiry::Memory { bytes }).await;
    let Supply::Memory(got) = answer.map_err(|error| error.to_string())? else {
        return Err("an answer to another question".into());
    };
    let mib = bytes >> 20;
    let problem = (got == short).then(|| match got {
        true => format!("{node} still gets {mib} MiB"),
        false => format!("{node} does not get {mib} MiB"),
    });
    let name = if got { "got_mib" } else { "refused_mib" };
    Ok((name, mib.into(), problem))
}

/// The largest of what services may have open at all, by their kernel's word.
async fn limit(ground: &Ground, node: &str) -> Result<(String, u64, u64), String> {
    let answer = ground.world.inquire(node, Inquiry::Files).await;
    let Supply::Files(services) = answer.map_err(|error| error.to_string())? else {
        return Err("an answer to another question".into());
    };
    let most = services.into_iter().max_by_key(|it| it.limit);
    let most = most.ok_or("no service runs")?;
    Ok((most.service, most.open, most.limit))
}

/// A limit is set once: what is opened and closed since moves what is left, and
/// not the limit.
async fn files(
    ground: &Ground,
    node: &str,
    leave: u32,
    short: bool,
    before: Option<(f64, f64)>,
) -> Seen {
    let Some((open, usual)) = before else {
        return Err("it could not be asked before the fault".into());
    };
    let (service, _, limit) = limit(ground, node).await?;
    let asked = open + f64::from(leave);
    let lowered = (limit as f64) < usual && limit as f64 <= asked + CHURN;
    let problem = match short {
        true if !lowered => Some(format!(
            "{service} on {node} may have {limit} open, not {asked:.0}"
        )),
        false if (limit as f64) < usual => Some(format!(
            "{service} on {node} may have only {limit} open, not {usual:.0}"
        )),
        _ => None,
    };
    Ok(("descriptors_at_most", limit.into(), problem))
}

#[async_trait]
impl Fault for Short {
    fn requested(&self) -> IndexMap<String, Value> {
        let (name, value): (&str, Value) = match self.shortage {
            Shortage::Cpu { stolen, .. } => ("stolen", stolen.get().into()),
            Shortage::Memory { leave_bytes } => ("left_mib", (leave_bytes >> 20).into()),
            Shortage::Files { leave } => ("descriptors_left", leave.into()),
        };
        IndexMap::from([(name.into(), value)])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        if let Shortage::Files { .. } = self.shortage {
            for node in &self.nodes {
                if let Ok((_, open, limit)) = limit(ground, node).await {
                    before.insert(format!("{node}.open"), open as f64);
                    before.insert(format!("{node}.limit"), limit as f64);
                }
            }
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        for node in &self.nodes {
            ground.world.deprive(node, &self.shortage).await?;
        }
        let mut injected = Injected {
            at_us: ground.world.clock().now_us(),
            ..Injected::default()
        };
        if let Shortage::Files { .. } = self.shortage {
            for node in &self.nodes {
                if let Ok((_, open, _)) = limit(ground, node).await {
                    let name = format!("{node}.open_then");
                    injected.before.insert(name, open as f64);
                }
            }
        }
        Ok(injected)
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, injected, true).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for node in &self.nodes {
            ground.world.supply(node, &self.shortage).await?;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        self.look(ground, injected, false).await
    }
}
