//! Watching the board: what changes there becomes events.

use std::sync::Arc;

use super::super::core::Core;
use super::super::look::Look;
use super::super::site::US;
use super::differ::Differ;
use crate::telemetry::{Answer, Reading};

/// Turns changes of the board into events for as long as it is polled.
pub(in super::super) async fn watch(core: Arc<Core>) {
    let mut looks: Vec<Option<Look>> = Vec::new();
    let mut seen = 0;
    loop {
        // An agent that answers nobody tells nobody either.
        if !core.board.silent(US) {
            look_around(&core, &mut looks);
        }
        seen = core.board.changed(seen).await;
    }
}

fn look_around(core: &Core, looks: &mut Vec<Option<Look>>) {
    let devices = core.board.devices();
    looks.resize(devices.len(), None);
    let mut events = Vec::new();
    let t_us = core.board.clock().now_us();
    for (identity, before) in devices.into_iter().zip(looks.iter_mut()) {
        let answer = core.board.peek(US, &identity.name);
        let last = before.as_ref().and_then(|look| look.reading.clone());
        let now = match answer {
            None | Some(Answer::Silence) => continue,
            Some(Answer::Stale) => Look {
                identity,
                reading: last,
                fresh: false,
            },
            Some(Answer::Reading(reading)) => Look {
                identity,
                reading: Some(reading),
                fresh: true,
            },
        };
        if let Some(before) = before.as_ref()
            && !is_same(before, &now)
        {
            let limits = core.room_limits();
            Differ::new(t_us, limits, &mut events).compare(before, &now);
        }
        remember(core, before.as_ref(), &now, t_us);
        *before = Some(now);
    }
    if !events.is_empty() {
        core.tell(events);
    }
}

/// The same reading, as a reading that was not replaced is.
fn is_same(before: &Look, now: &Look) -> bool {
    before.fresh == now.fresh
        && match (&before.reading, &now.reading) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
}

/// Keeps the last reading, and when a machine was last seen to start.
fn remember(core: &Core, before: Option<&Look>, now: &Look, t_us: u64) {
    let started = match (before.and_then(machine_on), machine_on(now)) {
        (Some((was, cause)), Some((is, new))) => is && (!was || cause != new),
        _ => false,
    };
    let mut state = core.lock();
    let memory = state.memory.entry(now.name().to_string()).or_default();
    memory.reading.clone_from(&now.reading);
    if started {
        memory.reset_us = Some(t_us);
    }
}

fn machine_on(look: &Look) -> Option<(bool, &str)> {
    match look.reading.as_deref()? {
        Reading::Machine(r) => Some((r.on, &r.last_reset_cause)),
        _ => None,
    }
}
