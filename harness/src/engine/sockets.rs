//! What the kernels of other machines hold towards those that fall silent, as it is at
//! that moment.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::world::{NodeSpec, Watch, World};

use super::recorder::Recorder;
use crate::record::{Body, SocketReport};

/// Faults after which a machine that has power says nothing any more, or nothing that
/// matters.
const SILENCING: [&str; 4] = ["hang", "partition", "link_down", "flap"];

/// Whether a machine says nothing while such a fault lasts.
pub(super) fn silences(kind: &str) -> bool {
    SILENCING.contains(&kind)
}

/// Machines that have fallen silent, among all that there are.
pub(super) struct Silence<'a> {
    /// `power cut`, or the kind of the fault.
    pub(super) cause: &'a str,
    /// The fault, where it is one.
    pub(super) fault: Option<usize>,
    pub(super) since_us: Micros,
    pub(super) victims: &'a [String],
    pub(super) nodes: &'a [&'a NodeSpec],
}

impl Silence<'_> {
    /// Records every connection of other machines to the victims. What cannot be read
    /// is said, and is no reason to stop.
    pub(super) async fn record(&self, world: &dyn World, recorder: &Recorder) {
        let is_victim = |node: &&NodeSpec| self.victims.contains(&node.name);
        let victims: BTreeMap<Ipv4Addr, &str> = self
            .nodes
            .iter()
            .copied()
            .filter(is_victim)
            .map(|node| (node.ip, node.name.as_str()))
            .collect();
        for node in self.nodes.iter().copied().filter(|node| !is_victim(node)) {
            let sockets = match world.sockets(&node.name).await {
                Ok(sockets) => sockets,
                Err(error) => {
                    let text = format!("what {} would notice is not known: {error}", node.name);
                    recorder.now("engine", Body::Note { text });
                    continue;
                }
            };
            let mut groups: BTreeMap<(&str, Watch), u32> = BTreeMap::new();
            for socket in sockets {
                if let Some(peer) = victims.get(socket.peer.ip()) {
                    *groups.entry((peer, socket.watch)).or_default() += 1;
                }
            }
            for ((peer, watch), count) in groups {
                let report = SocketReport {
                    cause: self.cause.into(),
                    fault: self.fault,
                    since_us: self.since_us,
                    node: node.name.clone(),
                    peer: peer.to_string(),
                    count,
                    watch,
                };
                recorder.now("engine", Body::Sockets(report));
            }
        }
    }
}
