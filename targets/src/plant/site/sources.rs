//! Generators and transfer switches, as written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Hertz, PerUnit, Span, Watts};

/// A generator. It starts by itself when the utility that it backs up fails,
/// or when it is told to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// Rated output power.
    pub rating: Watts,
    /// The utility whose loss starts it (default: the utility on the other
    /// input of the transfer switch that it feeds).
    #[serde(default)]
    pub backs: Option<String>,
    /// Mains below this voltage are lost. Typical.
    #[serde(default = "d::start_below")]
    pub start_below: PerUnit,
    /// How long the mains must be lost before it cranks. Typical.
    #[serde(default = "d::sense")]
    pub sense: Span,
    /// From the first turn of the starter to good voltage. With `sense`, ten
    /// seconds in all: type 10 of NFPA 110.
    #[serde(default = "d::crank")]
    pub crank: Span,
    /// How often it tries to start. Typical.
    #[serde(default = "d::attempts")]
    pub attempts: u32,
    /// How long it cranks before it gives one attempt up. Typical.
    #[serde(default = "d::fifteen")]
    pub crank_limit: Span,
    /// Pause between two attempts. Typical.
    #[serde(default = "d::fifteen")]
    pub rest: Span,
    /// It turns and does not start.
    #[serde(default)]
    pub fails_to_start: bool,
    /// It runs with a voltage and a frequency that nobody accepts.
    #[serde(default)]
    pub unstable: bool,
    /// It overheats and trips after so long under load (default: never).
    #[serde(default)]
    pub trip_after: Option<Span>,
    /// Above this share of its rating ... (typical)
    #[serde(default = "d::overload")]
    pub overload: PerUnit,
    /// ... for this long, it trips (typical).
    #[serde(default = "d::overload_delay")]
    pub overload_delay: Span,
    /// How far its voltage dips when load of its full rating comes at once.
    /// Typical: 15 % for a block of 60 %.
    #[serde(default = "d::step_dip")]
    pub step_dip: PerUnit,
    /// Time constant of the recovery from such a dip. Typical.
    #[serde(default = "d::recovery")]
    pub recovery: Span,
    /// How long it runs without load before it stops. Typical.
    #[serde(default = "d::cooldown")]
    pub cooldown: Span,
    /// Fuel, as running time at rated power (default: endless). Without load
    /// it burns a quarter of that (typical).
    #[serde(default)]
    pub fuel: Option<Span>,
}

/// How a transfer switch moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Automatic, mechanical: its contacts take 100 ms (typical).
    #[default]
    Ats,
    /// Static: it takes 4 ms, detection included.
    Sts,
}

/// A transfer switch: one output that two inputs can feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Its two inputs.
    pub from: [String; 2],
    /// How it moves.
    #[serde(default)]
    pub kind: TransferKind,
    /// How long the output is dead while it moves (default: by its kind).
    #[serde(default)]
    pub open: Option<Span>,
    /// The input that it prefers, 0 or 1.
    #[serde(default)]
    pub preferred: usize,
    /// The inputs that it accepts.
    #[serde(default)]
    pub window: TransferWindow,
    /// How long its input must be bad before it moves.
    #[serde(default)]
    pub transfer_delay: Span,
    /// How long the preferred input must be good before it goes back.
    #[serde(default = "d::retransfer_delay")]
    pub retransfer_delay: Span,
    /// It goes back to the preferred input by itself.
    #[serde(default = "d::yes")]
    pub retransfer: bool,
    /// It does not move by itself.
    #[serde(default)]
    pub inhibit: bool,
}

/// What a transfer switch accepts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransferWindow {
    /// Lowest voltage.
    pub low: PerUnit,
    /// Highest voltage.
    pub high: PerUnit,
    /// How far the frequency may be above nominal.
    pub above: Hertz,
    /// How far it may be below.
    pub below: Hertz,
}

impl Default for TransferWindow {
    fn default() -> Self {
        Self {
            low: PerUnit(0.895),
            high: PerUnit(1.085),
            above: Hertz(1.5),
            below: Hertz(0.5),
        }
    }
}

/// Typical values.
mod d {
    use crate::units::{PerUnit, Span};

    pub(super) fn start_below() -> PerUnit {
        PerUnit(0.85)
    }
    pub(super) fn sense() -> Span {
        Span::from_secs(3)
    }
    pub(super) fn crank() -> Span {
        Span::from_secs(7)
    }
    pub(super) fn attempts() -> u32 {
        3
    }
    pub(super) fn fifteen() -> Span {
        Span::from_secs(15)
    }
    pub(super) fn overload() -> PerUnit {
        PerUnit(1.1)
    }
    pub(super) fn overload_delay() -> Span {
        Span::from_secs(10)
    }
    pub(super) fn step_dip() -> PerUnit {
        PerUnit(0.25)
    }
    pub(super) fn recovery() -> Span {
        Span::from_secs(2)
    }
    pub(super) fn cooldown() -> Span {
        Span::from_secs(300)
    }
    pub(super) fn retransfer_delay() -> Span {
        Span::from_secs(30)
    }
    pub(super) fn yes() -> bool {
        true
    }
}
