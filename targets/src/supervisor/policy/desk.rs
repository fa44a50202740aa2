//! Where wishes become orders: each is sent until the device obeys, and not
//! again until it changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::carry::{Way, carry};
use super::decide::{Side, Wishes};
use crate::net::Net;
use crate::service::spawn_in;
use crate::telemetry::DeviceCommand;

/// How long an order may take at the device.
const ORDER_WAIT: Duration = Duration::from_secs(5);
/// How soon an order that failed is sent again.
const RETRY: Duration = Duration::from_secs(1);
/// Orders under way at one time.
const MAX_ORDERS: usize = 256;

/// What became of one wish.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::supervisor) struct Outcome {
    pub(in crate::supervisor) device: String,
    pub(in crate::supervisor) side: Side,
    pub(in crate::supervisor) wish: Vec<DeviceCommand>,
    pub(in crate::supervisor) result: Result<(), String>,
}

/// The desk.
pub(in crate::supervisor) struct Desk {
    net: Arc<dyn Net>,
    ways: IndexMap<String, Way>,
    /// How soon a wish is tried again, for devices that refuse on purpose.
    patience: BTreeMap<Side, Duration>,
    state: BTreeMap<(String, Side), Standing>,
    tasks: JoinSet<()>,
    done: mpsc::Sender<Outcome>,
    outcomes: mpsc::Receiver<Outcome>,
}

/// Where a wish stands.
enum Standing {
    UnderWay,
    Obeyed(Vec<DeviceCommand>),
    /// Try again then.
    Failed(Vec<DeviceCommand>, Instant),
}

impl Desk {
    pub(in crate::supervisor) fn new(
        net: Arc<dyn Net>,
        ways: IndexMap<String, Way>,
        rejoin: Duration,
    ) -> Self {
        let (done, outcomes) = mpsc::channel(MAX_ORDERS);
        Self {
            net,
            ways,
            patience: BTreeMap::from([(Side::Breaker, rejoin)]),
            state: BTreeMap::new(),
            tasks: JoinSet::new(),
            done,
            outcomes,
        }
    }

    /// Sends what has to be sent.
    pub(in crate::supervisor) fn press(&mut self, wishes: &Wishes) {
        let now = Instant::now();
        while self.tasks.try_join_next().is_some() {}
        for (key, wish) in wishes {
            let send = match self.state.get(key) {
                None => true,
                // One at a time: what is under way decides before the next.
                Some(Standing::UnderWay) => false,
                Some(Standing::Obeyed(told)) => told != wish,
                Some(Standing::Failed(told, again)) => told != wish || now >= *again,
            };
            if send && self.tasks.len() < MAX_ORDERS {
                self.send(key.clone(), wish.clone());
            }
        }
    }

    fn send(&mut self, key: (String, Side), wish: Vec<DeviceCommand>) {
        let (device, side) = key.clone();
        let way = self.ways.get(&device).cloned();
        let (net, done) = (Arc::clone(&self.net), self.done.clone());
        self.state.insert(key, Standing::UnderWay);
        spawn_in(&mut self.tasks, async move {
            let result = match way {
                None => Err("no way to it is known".to_string()),
                Some(way) => {
                    let sent = timeout(ORDER_WAIT, all(net.as_ref(), &way, &device, &wish));
                    let late = |_| Err("no answer".to_string());
                    sent.await.unwrap_or_else(late)
                }
            };
            let outcome = Outcome {
                device,
                side,
                wish,
                result,
            };
            let _ = done.send(outcome).await;
        });
    }

    /// The next outcome of an order.
    pub(in crate::supervisor) async fn outcome(&mut self) -> Option<Outcome> {
        let outcome = self.outcomes.recv().await?;
        let standing = match outcome.result {
            Ok(()) => Standing::Obeyed(outcome.wish.clone()),
            Err(_) => {
                let wait = self.patience.get(&outcome.side).copied().unwrap_or(RETRY);
                Standing::Failed(outcome.wish.clone(), Instant::now() + wait)
            }
        };
        let key = (outcome.device.clone(), outcome.side);
        self.state.insert(key, standing);
        Some(outcome)
    }
}

async fn all(net: &dyn Net, way: &Way, device: &str, wish: &[DeviceCommand]) -> Result<(), String> {
    for command in wish {
        carry(net, way, device, command).await?;
    }
    Ok(())
}
