//! Rules of the fabric: what happens to frames from one node to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Bandwidth, PerUnit, Span};

use super::bursts::{FourState, GilbertElliott};

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

/// How the delays of a link spread around their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Evenly over the mean plus or minus the jitter.
    #[default]
    Uniform,
    /// The normal distribution; the jitter is one standard deviation.
    Normal,
    /// A Pareto distribution of shape 3, scaled to the mean and to the jitter as
    /// one standard deviation: most frames a little early, a few very late.
    Pareto,
}

/// What a rule does to a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impairment {
    /// Drops every frame, ARP too.
    Drop,
    /// Drops every frame for `down` of every `period`, beginning with the
    /// installation.
    Flap {
        /// From one darkness to the next.
        period: Span,
        /// How long each lasts.
        down: Span,
    },
    /// Holds each frame back by `delay`, more or less by the jitter and never
    /// less than nothing; frames of one link and direction keep their order.
    Delay {
        /// The mean delay, one way.
        delay: Span,
        /// The half-width of a uniform distribution, the standard deviation of
        /// the others.
        jitter: Span,
        /// How delays spread.
        #[serde(default)]
        distribution: Distribution,
        /// How much a delay is like the one before it, 0 to 1: the correlation
        /// of the normal scores, so that it leaves the distribution as it is.
        #[serde(default)]
        correlation: PerUnit,
    },
    /// Drops each IP packet with this probability, independently.
    Loss {
        /// 0 to 1.
        probability: PerUnit,
    },
    /// Drops IP packets in bursts, by a two-state chain.
    GilbertElliott(GilbertElliott),
    /// Drops IP packets in bursts, by a four-state chain.
    FourState(FourState),
    /// Lets frames pass at this rate; up to `queue` waits, the rest is dropped.
    Rate {
        /// The rate.
        rate: Bandwidth,
        /// How much delay the queue may hold.
        queue: Span,
    },
    /// Sends each IP packet twice with this probability, the copy right behind.
    Duplicate {
        /// 0 to 1.
        probability: PerUnit,
    },
    /// Holds chosen IP packets back, so that later ones overtake them.
    Reorder {
        /// The share that is chosen, 0 to 1.
        probability: PerUnit,
        /// How long they are held back.
        by: Span,
    },
    /// Flips one bit of the payload of an IP packet with this probability, so
    /// that the kernel that receives it drops it for its checksum.
    Corrupt {
        /// 0 to 1.
        probability: PerUnit,
    },
    /// Resets TCP connections (IPv4): a chosen segment becomes a reset, and its
    /// sender gets one too, each with the number that its receiver waits for.
    /// Segments with SYN or RST pass.
    Reset {
        /// The share of segments that reset their connection, 0 to 1.
        probability: PerUnit,
    },
    /// Swallows IP packets longer than this, and tells nobody.
    MtuBlackHole {
        /// The longest packet that passes, in bytes with its IP header.
        mtu: u32,
    },
}

impl Impairment {
    /// A delay with uniform jitter, each by itself.
    pub fn delay(delay: Span, jitter: Span) -> Self {
        Self::Delay {
            delay,
            jitter,
            distribution: Distribution::Uniform,
            correlation: PerUnit(0.0),
        }
    }
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
    /// Only TCP and UDP packets from or to this port. Fragments of a datagram
    /// beyond the first have no port.
    #[serde(default)]
    pub port: Option<u16>,
    /// What happens.
    pub impairment: Impairment,
}

/// What a rule has met since it was installed. Packets from or to UDP and TCP
/// port 7777 are the world's own probes and are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCounters {
    /// Frames that passed its filter.
    pub matched: u64,
    /// Frames that it dropped, held back, doubled, damaged or turned into a
    /// reset.
    pub acted: u64,
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
