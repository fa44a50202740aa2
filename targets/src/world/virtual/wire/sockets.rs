//! A node's connections, as its kernel holds them.

use std::net::SocketAddrV4;

use super::state::State;
use super::tcb::Phase;
use crate::world::{Socket, Watch};

impl State {
    /// The established connections of a node.
    pub(super) fn sockets(&self, node: usize) -> Vec<Socket> {
        let all = self.socks().filter(|sock| sock.node == node);
        let open = all.filter(|s| s.tcb.phase == Phase::Open && !s.tcb.closed && !s.tcb.gone);
        let end = |node: usize, port| SocketAddrV4::new(self.places[node].ip, port);
        open.map(|sock| Socket {
            local: end(sock.node, sock.port),
            peer: end(sock.peer_node, sock.peer_port),
            watch: Watch::of(&sock.tcb.options),
        })
        .collect()
    }
}
