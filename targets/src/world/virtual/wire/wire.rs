//! The one lock around [`State`], and the task that lets its time pass.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::neighbour::NeighbourTimes;
use super::probe::ProbeWay;
use super::segment::Nanos;
use super::state::{Place, State};
use crate::fabric::Link;
use crate::world::names::NameBook;
use crate::world::{LinkRule, PortCounters, ProbeReport, RuleCounters, RuleId, Socket};

/// Every kernel and link of a world. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    origin: Instant,
    state: Mutex<State>,
    /// Told when something is due earlier than before.
    sooner: Notify,
    /// When the driver wakes next.
    wakes: Mutex<Option<Nanos>>,
}

impl Wire {
    /// A fabric with these places on it, all dark; `times` are the neighbour
    /// tables that differ from the default.
    pub(crate) fn new(
        origin: Instant,
        seed: u64,
        hosts: &IndexMap<String, Ipv4Addr>,
        times: &IndexMap<String, NeighbourTimes>,
    ) -> Self {
        let place = |(name, ip): (&String, &Ipv4Addr)| {
            let place = Place {
                ip: *ip,
                lit: false,
                boot: 0,
                listeners: std::collections::BTreeMap::new(),
                bound: std::collections::BTreeMap::new(),
                next_port: 0,
                counters: PortCounters::default(),
                bad_checksums: 0,
                times: times.get(name).copied().unwrap_or_default(),
            };
            (name.clone(), place)
        };
        Self(Arc::new(Shared {
            origin,
            state: Mutex::new(State::new(seed, hosts.iter().map(place).collect())),
            sooner: Notify::new(),
            wakes: Mutex::new(None),
        }))
    }

    /// Starts the task that lets time pass; abort it to end the world.
    pub(crate) fn start(&self) -> AbortHandle {
        let wire = self.clone();
        tokio::spawn(async move { wire.drive().await }).abort_handle()
    }

    async fn drive(&self) {
        loop {
            let due = self.with(|state, now| {
                state.catch_up(now);
                state.agenda.next_due()
            });
            *lock(&self.0.wakes) = due;
            let sooner = self.0.sooner.notified();
            match due {
                Some(due) => {
                    let at = self.0.origin + Duration::from_nanos(due);
                    tokio::select! {
                        biased;
                        () = sooner => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => sooner.await,
            }
        }
    }

    /// Does something to the state, lets what leaves go its way, and wakes who
    /// waited for it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State, Nanos) -> T) -> T {
        let now = self.0.origin.elapsed().as_nanos() as Nanos;
        let mut state = lock(&self.0.state);
        let result = act(&mut state, now);
        state.pump(now);
        let wakers = std::mem::take(&mut state.wakers);
        let due = state.agenda.next_due();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        if let Some(due) = due
            && lock(&self.0.wakes).is_none_or(|wakes| due < wakes)
        {
            self.0.sooner.notify_one();
        }
        result
    }

    /// The number of a place.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        lock(&self.0.state).places.get_index_of(name)
    }

    /// A new kernel at a place, its port still dark; returns the number of its
    /// boot.
    pub(crate) fn new_kernel(&self, node: usize) -> u32 {
        self.with(|state, _| {
            let place = &mut state.places[node];
            place.boot += 1;
            place.next_port = 0;
            place.listeners.clear();
            place.bound.clear();
            place.counters = PortCounters::default();
            place.boot
        })
    }

    /// Lights a port.
    pub(crate) fn light(&self, node: usize) {
        self.with(|state, _| state.places[node].lit = true);
    }

    /// The ports go dark, all at once; then the kernels are gone, and nothing
    /// they knew is left. Returns the counters at that instant.
    pub(crate) fn cut(&self, nodes: &[usize]) -> Vec<PortCounters> {
        self.with(|state, _| {
            for node in nodes {
                state.places[*node].lit = false;
            }
            for node in nodes {
                state.places[*node].listeners.clear();
                state.places[*node].bound.clear();
                for id in state.socks_of(*node) {
                    state.forget(id);
                }
                let own = |(of, _): &(usize, usize)| of == node;
                state.neighbours.retain(|pair, _| !own(pair));
            }
            let counters = nodes.iter().map(|node| state.places[*node].counters);
            counters.collect()
        })
    }

    /// What went through a port.
    pub(crate) fn counters(&self, node: usize) -> PortCounters {
        lock(&self.0.state).places[node].counters
    }

    /// Puts a rule on the fabric.
    pub(crate) fn install(&self, rule: &LinkRule) -> Result<RuleId, String> {
        self.with(|state, now| {
            let places = &state.places;
            let id = state.rules.install(rule, now, |name| {
                places.get_index_of(name).into_iter().collect()
            })?;
            state.relink();
            Ok(id)
        })
    }

    /// Takes a rule off.
    pub(crate) fn remove(&self, rule: RuleId) {
        self.with(|state, _| {
            if state.rules.remove(rule) {
                state.relink();
            }
        });
    }

    /// What a rule has met.
    pub(crate) fn rule_counters(&self, rule: RuleId) -> Option<RuleCounters> {
        lock(&self.0.state).rules.counters(rule)
    }

    /// Changes or asks what resolvers are made to answer.
    pub(crate) fn names<T>(&self, act: impl FnOnce(&mut NameBook) -> T) -> T {
        act(&mut lock(&self.0.state).names)
    }

    /// The number of the boot that a place is in.
    pub(crate) fn boot_of(&self, node: usize) -> u32 {
        lock(&self.0.state).places[node].boot
    }

    /// Packets that a place's kernels dropped for their checksum.
    pub(crate) fn bad_checksums(&self, node: usize) -> u64 {
        lock(&self.0.state).places[node].bad_checksums
    }

    /// See [`World::sockets`](crate::world::World::sockets).
    pub(crate) fn sockets(&self, node: usize) -> Vec<Socket> {
        lock(&self.0.state).sockets(node)
    }

    /// Sends one packet of a run of probes.
    pub(crate) fn send_probe(&self, token: u64, way: ProbeWay) {
        self.with(|state, now| state.send_probe(now, token, way));
    }

    /// What became of a run of probes.
    pub(crate) fn end_probe(&self, token: u64) -> ProbeReport {
        let probe = self.with(|state, _| state.probes.remove(&token));
        probe.unwrap_or_default().report()
    }
}

impl State {
    /// Brings every direction up to the rules.
    fn relink(&mut self) {
        let count = self.places.len();
        for from in 0..count {
            for to in 0..count {
                let rules = self.rules.between(from, to);
                if rules.is_empty() {
                    self.links.remove(&(from, to));
                } else {
                    let stream = self.stream(from, to);
                    let link = self.links.entry((from, to)).or_insert_with(Link::new);
                    link.update(self.seed, stream, &rules);
                }
            }
        }
    }
}

impl State {
    /// The random stream of a direction. It follows from the names of its two
    /// ends alone: another node on the fabric changes nothing here.
    fn stream(&self, from: usize, to: usize) -> u32 {
        let name = |place: usize| self.places.get_index(place).map_or("", |(name, _)| name);
        let digest = Sha256::new()
            .chain_update(name(from))
            .chain_update([0])
            .chain_update(name(to))
            .finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

/// A poisoned lock still holds sound data: no guard lives across a panic that
/// could leave it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
