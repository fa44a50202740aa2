//! The fault-free pass before the first phase, and what each load is then held
//! against.
//!
//! The clients' node is booted for it with the pass as its only service, and
//! booted anew for the run: the load finds what was recorded in its
//! configuration, as it would find anything else that is known beforehand.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use ridethrough_targets::service::Program;
use ridethrough_targets::world::{NodeSpec, World};

use super::error::EngineError;
use super::recorder::Recorder;
use super::services::has_builtin;
use crate::load::Rehearsed;
use crate::plan::{Plan, PlannedNode};
use crate::playbook::{LoadSpec, OracleSpec};
use crate::record::{Body, OracleReport};

/// What the clients may take to tell the outcome, after the pass is over.
const TELLING: Duration = Duration::from_secs(10);

/// What was recorded, by load.
pub(super) type Recordings = IndexMap<String, Rehearsed>;

/// The longest that the fault-free pass of a plan takes by its own bounds.
pub(super) fn pass(plan: &Plan) -> Duration {
    let within = recorded(plan).map(|(_, within)| within);
    within
        .max()
        .map_or(Duration::ZERO, |within| within + TELLING)
}

/// The loads whose answers are recorded, with the bound of each one's pass.
fn recorded(plan: &Plan) -> impl Iterator<Item = (&LoadSpec, Duration)> {
    plan.playbook
        .load
        .iter()
        .filter_map(|load| match load.oracle {
            Some(OracleSpec::Recorded(spec)) => Some((load, spec.within.duration())),
            _ => None,
        })
}

/// Records what is to be recorded, and tells by what each load is judged. An
/// error in words: the pass failed, and the run would prove nothing.
pub(super) async fn rehearse(
    plan: &Plan,
    world: &Arc<dyn World>,
    recorder: &Recorder,
    mut told: mpsc::UnboundedReceiver<Rehearsed>,
) -> Result<Result<Recordings, String>, EngineError> {
    let mut recordings = Recordings::new();
    let awaited = recorded(plan).count();
    let clients = plan.nodes.iter().find(|node| has_builtin(node, "load"));
    if let Some(node) = clients.filter(|_| awaited > 0) {
        world.boot(&as_rehearsal(node), 0).await?;
        let until = Instant::now() + pass(plan);
        while recordings.len() < awaited {
            let Ok(Some(rehearsed)) = timeout_at(until, told.recv()).await else {
                let reason = "the clients did not tell what the fault-free pass came to; see \
                              their log";
                return Ok(Err(reason.into()));
            };
            recorder.now(&node.name, Body::Rehearsal(rehearsed.clone()));
            if let Some(problem) = rehearsed.problem {
                let load = rehearsed.load;
                return Ok(Err(format!(
                    "the fault-free pass of load {load}: {problem}"
                )));
            }
            recordings.insert(rehearsed.load.clone(), rehearsed);
        }
        world.cut(std::slice::from_ref(&node.name)).await?;
    }
    for load in &plan.playbook.load {
        let report = judged_by(load, recordings.get(&load.name));
        recorder.now("engine", Body::Oracle(report));
    }
    Ok(Ok(recordings))
}

/// The clients' node with the pass in the place of its load.
fn as_rehearsal(node: &PlannedNode) -> NodeSpec {
    let mut spec = node.spec();
    spec.services
        .retain_mut(|service| match &mut service.program {
            Program::Builtin { name, .. } if name == "load" => {
                *name = "rehearsal".into();
                true
            }
            _ => false,
        });
    spec
}

fn judged_by(load: &LoadSpec, rehearsed: Option<&Rehearsed>) -> OracleReport {
    let (oracle, why) = match (load.oracle, rehearsed) {
        (Some(OracleSpec::Recorded(_)), Some(rehearsed)) => {
            let oracle = if rehearsed.differing.is_empty() {
                "recorded"
            } else {
                "structural"
            };
            (oracle, rehearsed.verdict())
        }
        (Some(OracleSpec::Structural), _) => ("structural", "the playbook asks for it".into()),
        _ => ("reference", String::new()),
    };
    OracleReport {
        load: load.name.clone(),
        oracle: oracle.into(),
        why,
    }
}
