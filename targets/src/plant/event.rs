//! What can be done to a plant, and what it says of itself: the ground truth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::units::{PerUnit, Span, Watts};

/// A machine that the plant powers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeLoad {
    /// The node.
    pub name: String,
    /// Its rack.
    pub rack: String,
    /// What it draws when idle.
    pub idle: Watts,
    /// What it draws at full utilisation.
    pub peak: Watts,
}

/// What loses its supply: electrical first, then down to one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PowerTarget {
    /// A whole feed, by its name in the site.
    Feed(String),
    /// A PDU.
    Pdu(String),
    /// Every cord of a rack.
    Rack(String),
    /// Every cord of a machine.
    Node(String),
}

/// Something done to the plant from outside, at its present time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantAction {
    /// A utility's voltage goes to this level and stays there.
    Supply {
        /// The utility.
        utility: String,
        /// The retained voltage, 0 for an outage.
        level: PerUnit,
    },
    /// A utility goes back to its own profile.
    SupplyRestored {
        /// The utility.
        utility: String,
    },
    /// A battery string opens; its own telemetry does not know.
    BatteryOpens {
        /// The UPS.
        ups: String,
    },
    /// The string is closed again.
    BatteryCloses {
        /// The UPS.
        ups: String,
    },
    /// A battery's state of health becomes this.
    BatteryHealth {
        /// The UPS.
        ups: String,
        /// 1 is new.
        health: PerUnit,
    },
    /// A PDU's breaker opens.
    BreakerOpens {
        /// The PDU.
        pdu: String,
    },
    /// A PDU's breaker is closed by hand.
    BreakerCloses {
        /// The PDU.
        pdu: String,
    },
    /// The supply of a target is cut, past every protection.
    Cut(PowerTarget),
    /// The cut is undone.
    Uncut(PowerTarget),
    /// A machine's power-brake line is pulled (`ratio` below 1) or let go (1).
    Brake {
        /// The node.
        node: String,
        /// Clocks as a share of nominal.
        ratio: f64,
    },
    /// A machine's work changed.
    Draw {
        /// The node.
        node: String,
        /// 0 to 1.
        utilisation: f64,
    },
}

/// One transition of the plant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlantEvent {
    /// When, in the plant's own microseconds.
    pub t_us: Micros,
    /// The component.
    pub component: String,
    /// What moved it.
    pub cause: String,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A utility's voltage or frequency.
    Supply {
        /// Voltage.
        voltage_pu: f64,
        /// Frequency.
        frequency_hz: f64,
    },
    /// The voltage at a component's output (a UPS or a PDU); PDU outputs are
    /// the load buses.
    Bus {
        /// Voltage.
        voltage_pu: f64,
        /// What feeds it now: a utility by its name, a battery as
        /// `<ups>.battery`, empty when dead.
        source: String,
    },
    /// A UPS changed state.
    Ups {
        /// Before.
        from: UpsState,
        /// After.
        to: UpsState,
    },
    /// A battery changed state.
    Battery {
        /// Before.
        from: BatteryState,
        /// After.
        to: BatteryState,
        /// True state of charge, 0 to 1.
        charge: f64,
    },
    /// A UPS's own low-battery signal.
    LowBattery {
        /// Set or cleared.
        low: bool,
        /// True state of charge, 0 to 1.
        charge: f64,
        /// Seconds left at the present load, as the UPS works it out.
        runtime_s: f64,
    },
    /// A breaker opened or closed.
    Breaker {
        /// After.
        closed: bool,
    },
    /// A machine lost all its inputs and lives on its hold-up, or got one back.
    HoldUp {
        /// On hold-up or not.
        active: bool,
        /// How long the energy will last at the present load.
        left: Span,
    },
    /// A machine's power supplies gave up, or deliver again.
    NodePower {
        /// After.
        on: bool,
    },
    /// A machine's power-brake line.
    Brake {
        /// Clocks as a share of nominal.
        clocks: f64,
    },
}

/// States of a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpsState {
    /// Load on mains.
    Normal,
    /// Between mains and battery (VI, VFD): the output is dead.
    Transferring,
    /// Load on battery.
    OnBattery,
    /// Input good again, waiting to be sure.
    Qualifying,
    /// Load shifting from battery to mains.
    WalkIn,
    /// No output.
    Off,
}

/// States of a battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatteryState {
    /// Full, resting.
    Idle,
    /// Taking charge.
    Charging,
    /// Carrying the load.
    Discharging,
    /// Nothing left.
    Empty,
    /// String open.
    Open,
}
