//! Which replica gets a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::health::HealthView;
use crate::service::Notice;
use crate::serving::config::ReplicaRef;

/// A replica as the balancer sees it.
pub(super) struct Peer {
    pub(super) at: ReplicaRef,
    pub(super) in_flight: AtomicU32,
    pub(super) health: HealthView,
    chosen: AtomicU64,
}

impl Peer {
    pub(super) fn is_healthy(&self) -> bool {
        self.health.is_healthy()
    }
}

/// All replicas.
pub(super) struct Pool {
    peers: Vec<Arc<Peer>>,
    turn: AtomicU64,
    /// Moves with every change of anybody's health.
    pub(super) changed: Notice<u64>,
}

impl Pool {
    pub(super) fn new(replicas: &[ReplicaRef]) -> Self {
        let peers = replicas.iter().map(|at| {
            Arc::new(Peer {
                at: at.clone(),
                in_flight: AtomicU32::new(0),
                health: HealthView::default(),
                chosen: AtomicU64::new(0),
            })
        });
        Self {
            peers: peers.collect(),
            turn: AtomicU64::new(0),
            changed: Notice::new(0),
        }
    }

    pub(super) fn peers(&self) -> &[Arc<Peer>] {
        &self.peers
    }

    /// The healthy replica with the least in flight, the longest unchosen among
    /// equals; one other than `avoid` where there is one.
    pub(super) fn pick(&self, avoid: Option<&str>) -> Option<Arc<Peer>> {
        let peer = self
            .peers
            .iter()
            .filter(|peer| peer.is_healthy())
            .min_by_key(|peer| {
                (
                    avoid == Some(peer.at.name.as_str()),
                    peer.in_flight.load(Ordering::Relaxed),
                    peer.chosen.load(Ordering::Relaxed),
                )
            })?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) + 1;
        peer.chosen.store(turn, Ordering::Relaxed);
        Some(Arc::clone(peer))
    }
}

#[cfg(test)]
mod tests;
