//! Telemetry as faults see it: distortions go to the cards, questions to the
//! probe, and answers come back by number.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::time::timeout;

use ridethrough_faults::{Asked, Telemetry};
use ridethrough_targets::clock::Clock;
use ridethrough_targets::service::ToService;
use ridethrough_targets::telemetry::{Distorted, Protocol, Reading, Seen};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::World;

use super::cards::{CARD, Told};

/// How much longer than its own patience a probe may take.
const GRACE: Duration = Duration::from_secs(5);

/// The desk of a run.
pub(crate) struct Desk {
    /// Not held: whoever listens to the world holds the desk.
    world: Weak<dyn World>,
    clock: Clock,
    /// The devices behind each card's node.
    cards: IndexMap<String, Vec<String>>,
    /// The probe's node.
    probe: String,
    told: Told,
    next: AtomicU64,
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<Asked>>>,
}

impl Desk {
    pub(crate) fn new(
        world: &Arc<dyn World>,
        cards: IndexMap<String, Vec<String>>,
        probe: String,
        told: Told,
    ) -> Self {
        Self {
            world: Arc::downgrade(world),
            clock: world.clock(),
            cards,
            probe,
            told,
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
        }
    }

    /// The probe has answered.
    pub(crate) fn answered(&self, ticket: u64, asked: Asked) {
        if let Some(waiting) = self.waiting().remove(&ticket) {
            let _ = waiting.send(asked);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, oneshot::Sender<Asked>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, node: &str, service: &str, word: ToService) {
        if let Some(world) = self.world.upgrade() {
            world.say(node, service, word);
        }
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

#[async_trait]
impl Telemetry for Desk {
    fn distort(&self, distorted: &Distorted) -> u64 {
        let number = self.number();
        for (node, devices) in &self.cards {
            let hit = |device: &&String| {
                distorted.devices.is_empty() || distorted.devices.contains(device)
            };
            let hit: Vec<String> = devices.iter().filter(hit).cloned().collect();
            if hit.is_empty() {
                continue;
            }
            // A card of which every device is hit is hit as a whole: it says
            // nothing at all where it is lost.
            let distorted = Distorted {
                devices: match hit.len() == devices.len() {
                    true => Vec::new(),
                    false => hit,
                },
                ..distorted.clone()
            };
            let word = ToService::Distort { number, distorted };
            self.say(node, CARD, word);
        }
        number
    }

    fn restore(&self, number: u64) {
        for node in self.cards.keys() {
            self.say(node, CARD, ToService::Restore { number });
        }
    }

    fn told(&self, device: &str) -> Option<Reading> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(device).cloned()
    }

    async fn ask(&self, device: &str, via: Protocol, wait: Span) -> Asked {
        let ticket = self.number();
        let (done, answer) = oneshot::channel();
        self.waiting().insert(ticket, done);
        let word = ToService::Ask {
            ticket,
            device: device.to_string(),
            via,
            wait,
        };
        self.say(&self.probe, "probe", word);
        let asked = timeout(wait.duration() + GRACE, answer).await;
        self.waiting().remove(&ticket);
        asked.ok().and_then(Result::ok).unwrap_or_else(|| Asked {
            t_us: self.clock.now_us(),
            took: wait,
            seen: Seen::Refused("the probe itself does not answer".into()),
        })
    }
}
