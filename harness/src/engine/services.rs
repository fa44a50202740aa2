//! What nodes run, as the engine needs to know it.

use indexmap::IndexMap;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::Program;
use ridethrough_targets::units::Span;
use ridethrough_targets::world::NodeSpec;

use super::bounds::DRAIN;
use super::doorman::{DoormanConfig, door};
use super::rehearse::Recordings;
use crate::plan::PlannedNode;

/// A node runs a built-in service of this name.
pub(super) fn has_builtin(node: &PlannedNode, wanted: &str) -> bool {
    node.services
        .iter()
        .any(|s| matches!(&s.program, Program::Builtin { name, .. } if name == wanted))
}

/// The doors that a doorman tries.
pub(super) fn doors(config: &serde_json::Value) -> Vec<String> {
    let config: Result<DoormanConfig, _> = serde_json::from_value(config.clone());
    let doors = config.map(|c| c.doors).unwrap_or_default();
    doors.iter().map(|at| door(&at.host, at.port)).collect()
}

/// The clients' node with the times of its schedule.
pub(super) fn with_schedule(mut spec: NodeSpec, start_us: Micros, duration: Span) -> NodeSpec {
    let times = IndexMap::from([
        ("start_us", serde_json::json!(start_us)),
        ("duration", serde_json::json!(duration)),
        ("drain", serde_json::json!(DRAIN)),
    ]);
    for service in &mut spec.services {
        if let Program::Builtin { name, config } = &mut service.program
            && ["load", "writer"].contains(&name.as_str())
            && let Some(config) = config.as_object_mut()
        {
            config.extend(times.iter().map(|(k, v)| ((*k).to_string(), v.clone())));
        }
    }
    spec
}

/// The clients' node with what was recorded for its loads.
pub(super) fn with_recordings(mut spec: NodeSpec, recordings: &Recordings) -> NodeSpec {
    for service in &mut spec.services {
        if let Program::Builtin { name, config } = &mut service.program
            && name == "load"
            && !recordings.is_empty()
            && let Some(config) = config.as_object_mut()
        {
            config.insert("rehearsed".to_string(), serde_json::json!(recordings));
        }
    }
    spec
}
