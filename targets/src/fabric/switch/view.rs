//! What the switch's thread knows of ports and rules: an immutable snapshot,
//! replaced as a whole, so that the fast path takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fabric::rules::Acting;

use super::port::{Counters, Life};

/// A port as the thread sees it.
#[derive(Debug)]
pub(crate) struct PortView<D> {
    /// Its life, while it is lit.
    pub(crate) life: Option<Arc<Life<D>>>,
    /// The counters of its life, or of its last one.
    pub(crate) counters: Arc<Counters>,
    /// The network that it is on.
    pub(crate) segment: usize,
    /// Whether what is on no port of its network is behind it.
    pub(crate) uplink: bool,
}

/// A direction that has rules.
#[derive(Debug)]
pub(crate) struct LinkView {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) rules: Vec<Acting>,
}

/// Everything a forwarding decision needs.
#[derive(Debug)]
pub(crate) struct View<D> {
    pub(crate) ports: Vec<PortView<D>>,
    /// Port numbers by hardware address (a [`mac_key`](super::parse::mac_key)),
    /// sorted.
    pub(crate) by_mac: Vec<(u64, usize)>,
    pub(crate) links: Vec<LinkView>,
}

impl<D> View<D> {
    pub(crate) fn empty() -> Self {
        Self {
            ports: Vec::new(),
            by_mac: Vec::new(),
            links: Vec::new(),
        }
    }

    /// The port behind which this hardware address is, seen from another: its own
    /// where it is on the same network, else that network's uplink.
    pub(crate) fn port_of(&self, mac: u64, from: usize) -> Option<usize> {
        let segment = self.ports.get(from)?.segment;
        let known = self.by_mac.binary_search_by_key(&mac, |(m, _)| *m).ok();
        let known = known.map(|at| self.by_mac[at].1);
        known
            .filter(|at| self.ports[*at].segment == segment)
            .or_else(|| self.uplink(segment))
    }

    #[cold]
    fn uplink(&self, segment: usize) -> Option<usize> {
        let mut ports = self.ports.iter();
        ports.position(|port| port.uplink && port.segment == segment)
    }
}

/// Where views are published. The thread compares one number per frame and
/// takes the lock only when it changed.
#[derive(Debug)]
pub(crate) struct Published<D> {
    generation: AtomicU64,
    view: Mutex<Arc<View<D>>>,
    adopted: Mutex<u64>,
    adoption: Condvar,
}

/// A lock whose holder panicked is still good here: the values under these
/// locks are replaced whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<D> Published<D> {
    pub(crate) fn new() -> Self {
        Self {
            generation: AtomicU64::new(0),
            view: Mutex::new(Arc::new(View::empty())),
            adopted: Mutex::new(0),
            adoption: Condvar::new(),
        }
    }

    /// Publishes a view and returns its generation.
    pub(crate) fn publish(&self, view: View<D>) -> u64 {
        let mut slot = lock(&self.view);
        *slot = Arc::new(view);
        self.generation.fetch_add(1, Ordering::Release) + 1
    }

    /// The generation now.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The newest view and its generation.
    pub(crate) fn newest(&self) -> (u64, Arc<View<D>>) {
        let slot = lock(&self.view);
        (self.generation(), Arc::clone(&slot))
    }

    /// Says that the thread works by this generation now and holds no older
    /// one.
    pub(crate) fn adopt(&self, generation: u64) {
        *lock(&self.adopted) = generation;
        self.adoption.notify_all();
    }

    /// Waits until the thread works by this generation or a newer one. Returns
    /// whether it does.
    pub(crate) fn wait_adopted(&self, generation: u64, at_most: Duration) -> bool {
        let adopted = lock(&self.adopted);
        let waited = self
            .adoption
            .wait_timeout_while(adopted, at_most, |adopted| *adopted < generation);
        let (adopted, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *adopted >= generation
    }
}
