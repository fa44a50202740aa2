//! Server-sent events.

use std::sync::Arc;

use tokio::time::timeout;

use super::super::core::Core;
use super::super::site::US;
use super::log::{After, document};
use crate::supervisor::web::EventStream;

/// Events that one document carries.
pub(super) const MOST: usize = 64;

/// A stream's subscription, which ends however the stream ends.
pub(in super::super) struct Held {
    core: Arc<Core>,
    id: String,
}

impl Held {
    pub(in super::super) fn new(core: Arc<Core>, id: String) -> Self {
        Self { core, id }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.core.lock().subscriptions.shift_remove(&self.id);
    }
}

/// Sends events as they come, until the client leaves, is too slow, or its
/// subscription is deleted.
pub(in super::super) async fn stream(held: Held, to: EventStream) {
    let Held { core, id } = &held;
    let heartbeat = core.config.heartbeat.duration();
    // The first bytes show the client that it is heard.
    if !to.comment("ridethrough").await {
        return;
    }
    loop {
        let told = core.told.notified();
        tokio::pin!(told);
        told.as_mut().enable();
        let Some(batch) = next(core, id) else {
            return;
        };
        match batch {
            Batch::Nothing => match timeout(heartbeat, told).await {
                Ok(()) => {}
                Err(_) if core.board.silent(US) => {}
                Err(_) if !to.comment("alive").await => return,
                Err(_) => {}
            },
            Batch::Events { last, text } => {
                if !to.event(None, last, &text).await {
                    return;
                }
            }
        }
    }
}

/// What a receiver has not had yet.
pub(super) enum Batch {
    Nothing,
    Events { last: u64, text: String },
}

/// Takes what a subscription has not had yet; nothing where it has ended or is
/// so far behind that events are gone.
pub(super) fn next(core: &Core, id: &str) -> Option<Batch> {
    let mut state = core.lock();
    let state = &mut *state;
    let subscription = state.subscriptions.get_mut(id)?;
    loop {
        let After::Events(mut events) = state.log.after(subscription.seen, MOST) else {
            return None;
        };
        let Some((last, _)) = events.last() else {
            return Some(Batch::Nothing);
        };
        let last = *last;
        subscription.seen = last;
        events.retain(|(_, event)| subscription.filter.wants(event));
        if !events.is_empty() {
            let text = document(&core.config, &subscription.context, &events).to_string();
            return Some(Batch::Events { last, text });
        }
    }
}
