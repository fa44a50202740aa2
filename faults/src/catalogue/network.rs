//! Faults of the network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::units::{Bandwidth, PerUnit, Span};
use ridethrough_targets::world::{Direction, Distribution, FourState, GilbertElliott, NameAnswer};

use super::{FaultKind, NodeTarget};

fn both() -> Direction {
    Direction::Both
}

fn all() -> PerUnit {
    PerUnit(1.0)
}

/// A switch port's buffer, typical.
fn queue() -> Span {
    Span::from_millis(50)
}

/// Two ends of a link: machines, services or racks by name, or `clients`,
/// `supervisor`, or a device's management card.
pub type Link = (String, String);

/// A cut between two sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// The two sides.
    pub link: Link,
    /// Which way it is cut.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// Added latency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The two sides.
    pub link: Link,
    /// Added one way on average, in each direction that is hit.
    pub delay: Span,
    /// Half-width of a uniform distribution, standard deviation of the others.
    #[serde(default)]
    pub jitter: Span,
    /// How delays spread around their mean. Frames keep their order, and a late one
    /// holds up those behind it: with a large jitter and a distribution with tails
    /// the delays of a busy link are longer than was asked, and the witness says so.
    #[serde(default)]
    pub distribution: Distribution,
    /// How much a delay is like the one before it, 0% to 100%.
    #[serde(default)]
    pub correlation: PerUnit,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// Something that happens to a share of packets, each by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketShare {
    /// The two sides.
    pub link: Link,
    /// The share of packets, each way that is hit.
    pub probability: PerUnit,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// Packet loss in bursts: one of the two models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstLoss {
    /// The two sides.
    pub link: Link,
    /// A good and a bad state.
    #[serde(default)]
    pub gilbert_elliott: Option<GilbertElliott>,
    /// Bursts with gaps in them, and single losses between bursts.
    #[serde(default)]
    pub four_state: Option<FourState>,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// Packets that others overtake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// The two sides.
    pub link: Link,
    /// The share of packets that is held back, each way that is hit.
    pub probability: PerUnit,
    /// For how long.
    pub by: Span,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// A line that is slow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The two sides.
    pub link: Link,
    /// What passes between two machines, each way that is hit.
    pub rate: Bandwidth,
    /// How long a packet may wait for the line; what would wait longer is lost.
    #[serde(default = "queue")]
    pub queue: Span,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// TCP connections that are reset by something between their ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The two sides.
    pub link: Link,
    /// The share of segments that reset their connection; every one when left
    /// out.
    #[serde(default = "all")]
    pub probability: PerUnit,
    /// Segments of which way reset; both ends are told in any case.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only connections from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// A link that comes and goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flap {
    /// The two sides.
    pub link: Link,
    /// From one darkness to the next.
    pub period: Span,
    /// How long each darkness lasts; a period begins with it.
    pub down: Span,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// A path that swallows long packets and tells nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mtu {
    /// The two sides.
    pub link: Link,
    /// The longest packet that passes, in bytes with its IP header; the
    /// machines themselves send up to 1500.
    pub mtu: u32,
    /// Which way.
    #[serde(default = "both")]
    pub direction: Direction,
    /// Only TCP and UDP packets from or to this port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// Names that resolve wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// On which machines.
    pub target: NodeTarget,
    /// Names of machines.
    pub names: Vec<String>,
    /// What is answered instead.
    pub answer: NameAnswer,
}

/// Where a fault acts on the fabric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnLink<'a> {
    /// The two sides.
    pub link: &'a Link,
    /// Which way.
    pub direction: Direction,
    /// The only port that it acts on.
    pub port: Option<u16>,
}

impl FaultKind {
    /// The link that it acts on; nothing where it acts on none.
    pub fn on_link(&self) -> Option<OnLink<'_>> {
        let (link, direction, port) = match self {
            Self::Partition(f) => (&f.link, f.direction, f.port),
            Self::Latency(f) => (&f.link, f.direction, f.port),
            Self::Loss(f) | Self::Duplicate(f) | Self::Corrupt(f) => (&f.link, f.direction, f.port),
            Self::BurstLoss(f) => (&f.link, f.direction, f.port),
            Self::Reorder(f) => (&f.link, f.direction, f.port),
            Self::Rate(f) => (&f.link, f.direction, f.port),
            Self::Reset(f) => (&f.link, f.direction, f.port),
            Self::Flap(f) => (&f.link, f.direction, f.port),
            Self::Mtu(f) => (&f.link, f.direction, f.port),
            _ => return None,
        };
        Some(OnLink {
            link,
            direction,
            port,
        })
    }
}
