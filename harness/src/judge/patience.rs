//! How long a client of a load stands silence before it gives up by itself.
//!
//! The record's header carries it, because the judge sees no playbook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::units::Span;

use super::facts::RunFacts;
use super::quantity::time;
use crate::load::LedgerRow;
use crate::playbook::LoadSpec;

/// The header's fact that holds the patience of each load's clients.
pub(crate) const CLIENTS: &str = "clients";

/// What ends a client's wait. What it does not have is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Patience {
    /// Longest wait for a connection.
    connect_timeout_us: Option<Micros>,
    /// Longest silence on a connection.
    idle_timeout_us: Option<Micros>,
    /// Longest life of a request.
    total_timeout_us: Option<Micros>,
    /// How soon keepalive of its socket finds a silent peer dead.
    keepalive_us: Option<Micros>,
}

/// The patience of the clients of each load, for the record's header.
pub(crate) fn patience(loads: &[LoadSpec]) -> Value {
    let of = |load: &LoadSpec| Patience {
        connect_timeout_us: Some(load.client.connect_timeout.micros()),
        idle_timeout_us: load.client.idle_timeout.span().map(Span::micros),
        total_timeout_us: load.client.total_timeout.span().map(Span::micros),
        keepalive_us: load.client.keepalive.map(|k| k.bound().micros()),
    };
    let all: BTreeMap<&str, Patience> = loads.iter().map(|l| (&*l.name, of(l))).collect();
    serde_json::to_value(all).unwrap_or_default()
}

/// What a request's own timeouts imply: how soon its client notices, with no
/// help from anybody, that the other side has fallen silent.
pub(crate) fn implied(facts: &RunFacts, row: &LedgerRow) -> String {
    let header = facts.header.as_ref();
    let written = header.and_then(|header| header.facts.get(CLIENTS));
    let of = written.and_then(|all| all.get(&row.load));
    let Some(patience) = of.and_then(|p| Patience::deserialize(p).ok()) else {
        return "what its own timeouts imply is not in the record".into();
    };
    let waits = if row.connected_us.is_some() {
        [
            (patience.idle_timeout_us, "idle timeout"),
            (patience.keepalive_us, "keepalive"),
            (patience.total_timeout_us, "total timeout"),
        ]
    } else {
        [
            (patience.connect_timeout_us, "connect timeout"),
            (patience.total_timeout_us, "total timeout"),
            (None, ""),
        ]
    };
    let bounds = waits
        .iter()
        .filter_map(|(wait, name)| Some(((*wait)?, name)));
    match bounds.min_by_key(|(wait, _)| *wait) {
        Some((wait, name)) => format!("its own timeouts imply {} ({name})", time(wait)),
        None => "it would never notice by itself".into(),
    }
}
