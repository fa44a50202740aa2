//! The site's state as JSON: whole, or what changed of it.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::telemetry::{Answer, Board, Identity, Protocol};

/// What a reader was last shown of each device.
#[derive(Debug, Default)]
pub(super) struct Shown(IndexMap<String, Answer>);

/// One device's entry; nothing where its agent stays silent or has not read it.
fn entry(identity: &Identity, answer: &Answer) -> Option<Json> {
    let (fresh, reading) = match answer {
        Answer::Reading(reading) => {
            let json = serde_json::to_value(&**reading).unwrap_or_default();
            let inner = json.as_object().and_then(|o| o.values().next().cloned());
            (true, inner.unwrap_or_default())
        }
        Answer::Stale => (false, Json::Null),
        Answer::Silence => return None,
    };
    Some(json!({
        "device": identity.name,
        "kind": identity.kind,
        "fresh": fresh,
        "reading": reading,
    }))
}

fn answers(board: &Board) -> impl Iterator<Item = (Arc<Identity>, Answer)> {
    board.devices().into_iter().filter_map(|identity| {
        let answer = board.peek(Protocol::Metrics, &identity.name)?;
        Some((identity, answer))
    })
}

/// Everything that is known.
pub(super) fn whole(board: &Board) -> Json {
    let devices: Vec<Json> = answers(board)
        .filter_map(|(identity, answer)| entry(&identity, &answer))
        .collect();
    json!({"t_us": board.clock().now_us(), "version": board.version(), "devices": devices})
}

impl Shown {
    /// What is not as it was last time.
    pub(super) fn changes(&mut self, board: &Board) -> Vec<Json> {
        let mut changes = Vec::new();
        for (identity, answer) in answers(board) {
            if self.0.get(&identity.name) == Some(&answer) {
                continue;
            }
            if let Some(mut change) = entry(&identity, &answer) {
                change["t_us"] = board.clock().now_us().into();
                changes.push(change);
                self.0.insert(identity.name.clone(), answer);
            }
        }
        changes
    }
}
