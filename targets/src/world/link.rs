//! Rules of the fabric: what happens to frames from one node to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Bandwidth, PerUnit, Span};

/// Names an installed rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleId(pub u64);

/// Which way a rule acts between `a` and `b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Only frames from `a` to `b`.
    AToB,
    /// Both ways.
    #[default]
    Both,
}

/// What a rule does to a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impairment {
    /// Drops every frame, ARP too.
    Drop,
    /// Holds each frame back by `delay`, plus or minus uniform `jitter`;
    /// frames of one link and direction keep their order.
    Delay {
        /// The mean delay, one way.
        delay: Span,
        /// The half-width of the uniform jitter.
        jitter: Span,
    },
    /// Drops each IP packet with this probability, independently.
    Loss {
        /// 0 to 1.
        probability: PerUnit,
    },
    /// Lets frames pass at this rate; up to `queue` waits, the rest is dropped.
    Rate {
        /// The rate.
        rate: Bandwidth,
        /// How much delay the queue may hold.
        queue: Span,
    },
}

/// A rule between two sets of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRule {
    /// One side, by node name.
    pub a: Vec<String>,
    /// The other side; empty means every other node.
    pub b: Vec<String>,
    /// Which way.
    pub direction: Direction,
    /// What happens.
    pub impairment: Impairment,
}

/// What went through a node's port since it was lit. "in" is from the node into
/// the fabric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortCounters {
    /// Frames the node sent.
    pub frames_in: u64,
    /// Bytes the node sent.
    pub bytes_in: u64,
    /// Frames given to the node.
    pub frames_out: u64,
    /// Bytes given to the node.
    pub bytes_out: u64,
    /// Frames from or to it that a rule or a dark port dropped.
    pub dropped: u64,
    /// Frames that left the fabric from this node after its port went dark.
    /// Always 0; counted to prove it.
    pub leaked: u64,
}
