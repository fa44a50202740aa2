//! Informs (RFC 3416, section 4.2.7): traps that are sent again until their
//! receiver has answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rasn_snmp::v2::{InformRequest, Pdu, Pdus};
use rasn_snmp::v2c::Message;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::super::agent::Agent;
use super::super::config::{TrapSink, TrapVersion};
use super::super::server::send;
use super::super::usm::{self, Heard, Remote, Tlv};
use super::form;
use crate::net::Datagram;

/// Answers that may wait for one inform.
const MAX_ANSWERS: usize = 4;

/// Informs that are under way, and the engines that they go to.
pub(in super::super) struct Informs {
    next: AtomicI32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<i32, (SocketAddr, mpsc::Sender<Vec<u8>>)>,
    /// By address and user.
    engines: BTreeMap<(SocketAddr, String), Arc<Remote>>,
}

impl Default for Informs {
    fn default() -> Self {
        Self {
            next: AtomicI32::new(1),
            state: Mutex::default(),
        }
    }
}

impl Informs {
    /// A number that no message has now.
    pub(super) fn number(&self) -> i32 {
        self.next.fetch_add(1, Ordering::Relaxed) & 0x7fff_ffff
    }

    /// Takes a datagram that answers an inform; false where it is another.
    pub(in super::super) fn hear(&self, bytes: &[u8], from: SocketAddr) -> bool {
        let mut state = self.lock();
        if !state.waiting.values().any(|(to, _)| *to == from) {
            return false;
        }
        let Some(number) = number(bytes) else {
            return false;
        };
        match state.waiting.get_mut(&number) {
            Some((to, answers)) if *to == from => answers.try_send(bytes.to_vec()).is_ok(),
            _ => false,
        }
    }

    fn wait(&self, number: i32, to: SocketAddr) -> mpsc::Receiver<Vec<u8>> {
        let (answers, inbox) = mpsc::channel(MAX_ANSWERS);
        self.lock().waiting.insert(number, (to, answers));
        inbox
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a Response-PDU, or of a message of SNMPv3.
fn number(bytes: &[u8]) -> Option<i32> {
    match Tlv::new(bytes).enter(0x30)?.take(0x02)? {
        [1] => {
            let message: Message<Pdus> = rasn::ber::decode(bytes).ok()?;
            match message.data {
                Pdus::Response(response) => Some(response.0.request_id),
                _ => None,
            }
        }
        [3] => usm::message_id(bytes),
        _ => None,
    }
}

/// One inform on its way.
pub(super) struct Inform {
    pub(super) agent: Arc<Agent>,
    pub(super) socket: Arc<dyn Datagram>,
    pub(super) sink: TrapSink,
    pub(super) to: SocketAddr,
    /// The device that it is about.
    pub(super) device: String,
    pub(super) pdu: Pdu,
}

impl Inform {
    /// Sends it until it is answered, or often enough.
    pub(super) async fn deliver(self) {
        let number = self.pdu.request_id;
        let mut answers = self.agent.informs.wait(number, self.to);
        let tries = self.sink.retries.saturating_add(1);
        let mut arrived = false;
        for _ in 0..tries {
            let due = Instant::now() + self.sink.timeout.duration();
            arrived = match self.sink.version {
                TrapVersion::V3 => self.by_user(&mut answers, due).await,
                _ => self.by_community(&mut answers, due).await,
            };
            if arrived {
                break;
            }
        }
        self.agent.informs.lock().waiting.remove(&number);
        if !arrived {
            tracing::info!(to = %self.to, tries, "an inform was never answered");
        }
    }

    async fn by_community(&self, answers: &mut mpsc::Receiver<Vec<u8>>, due: Instant) -> bool {
        let pdus = Pdus::InformRequest(InformRequest(self.pdu.clone()));
        if let Some(bytes) = form::by_community(&self.sink, pdus) {
            send(&*self.socket, &bytes, self.to).await;
        }
        matches!(timeout_at(due, answers.recv()).await, Ok(Some(_)))
    }

    /// What is not known of the engine there is found out first.
    async fn by_user(&self, answers: &mut mpsc::Receiver<Vec<u8>>, due: Instant) -> bool {
        let key = (self.to, self.sink.user.clone());
        let known = self.agent.informs.lock().engines.get(&key).cloned();
        let mut engine = match known {
            Some(engine) => engine,
            None => match self.discover(answers, due).await {
                Some(engine) => engine,
                None => return false,
            },
        };
        self.remember(&key, Some(&engine));
        self.say(&engine).await;
        while let Ok(Some(bytes)) = timeout_at(due, answers.recv()).await {
            match engine.hear(&bytes, self.pdu.request_id) {
                Some(Heard::Response) => return true,
                Some(Heard::Clock(boots, time)) => {
                    engine = Arc::new(engine.with_clock(boots, time));
                    self.remember(&key, Some(&engine));
                    self.say(&engine).await;
                }
                Some(Heard::Refused) => self.remember(&key, None),
                None => {}
            }
        }
        false
    }

    async fn discover(
        &self,
        answers: &mut mpsc::Receiver<Vec<u8>>,
        due: Instant,
    ) -> Option<Arc<Remote>> {
        let bytes = usm::discovery(&self.agent, self.pdu.request_id)?;
        send(&*self.socket, &bytes, self.to).await;
        let report = timeout_at(due, answers.recv()).await.ok()??;
        Remote::learn(&self.agent, &self.sink.user, &report).map(Arc::new)
    }

    async fn say(&self, engine: &Remote) {
        let pdus = Pdus::InformRequest(InformRequest(self.pdu.clone()));
        let bytes = engine.wrap(&self.agent, self.pdu.request_id, &self.device, pdus);
        if let Some(bytes) = bytes {
            send(&*self.socket, &bytes, self.to).await;
        }
    }

    fn remember(&self, key: &(SocketAddr, String), engine: Option<&Arc<Remote>>) {
        let engines = &mut self.agent.informs.lock().engines;
        match engine {
            Some(engine) => drop(engines.insert(key.clone(), Arc::clone(engine))),
            None => drop(engines.remove(key)),
        }
    }
}
