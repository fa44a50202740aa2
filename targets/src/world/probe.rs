//! Probe packets: UDP echoes between a pair of nodes, sent and answered by the
//! nodes' own init processes, so that what is measured is the fabric and not a
//! service.

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSpec {
    /// Sender.
    pub from: String,
    /// Echoing node.
    pub to: String,
    /// How many packets.
    pub count: u32,
    /// Time between packets.
    pub interval: Span,
    /// How long to wait for the last answer.
    pub wait: Span,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Packets sent.
    pub sent: u32,
    /// Packets that reached the echoing node, as it counted them; shows a
    /// one-way cut. `None` when it could not be asked.
    pub arrived: Option<u32>,
    /// Answers received.
    pub answered: u32,
    /// Round-trip times of the answers, in microseconds, in order of sending.
    pub rtt_us: Vec<u64>,
}

impl ProbeReport {
    /// The share of packets without an answer, 0 to 1.
    pub fn lost(&self) -> f64 {
        if self.sent == 0 {
            0.0
        } else {
            1.0 - f64::from(self.answered) / f64::from(self.sent)
        }
    }

    /// The median round trip in microseconds.
    pub fn rtt_median_us(&self) -> Option<u64> {
        let mut sorted = self.rtt_us.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

/// What the processes of a node are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// No process of it exists.
    Down,
    /// Every service process is stopped (`T` in its `/proc` status).
    Stopped,
    /// At least one service process can run.
    Running,
    /// The node is up, and no service process exists.
    Empty,
}
