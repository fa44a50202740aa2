//! What a plant says of itself: the ground truth.

use serde::{Deserialize, Serialize};

use super::states::{
    BatteryState, BbuState, BessState, CoolingState, GeneratorState, HeatLevel, TransferState,
    UpsState,
};
use crate::clock::Micros;
use crate::units::Span;

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
    /// A generator changed state.
    Generator {
        /// Before.
        from: GeneratorState,
        /// After.
        to: GeneratorState,
    },
    /// A transfer switch moved.
    Transfer {
        /// Before.
        from: TransferState,
        /// After.
        to: TransferState,
    },
    /// A transfer switch must not move by itself, or may again.
    Inhibit {
        /// It must not.
        on: bool,
    },
    /// A UPS counted too many disturbances and stays off its input, or was
    /// reset.
    Lockout {
        /// Locked out or not.
        on: bool,
    },
    /// One outlet of a PDU.
    Outlet {
        /// Which one, from 0.
        outlet: usize,
        /// It conducts.
        on: bool,
    },
    /// One power supply of a machine.
    Supplies {
        /// Which one, from 0.
        supply: usize,
        /// It works.
        healthy: bool,
    },
    /// A machine is held to a power, or let go.
    Limit {
        /// Watts.
        watts: Option<f64>,
    },
    /// A rack's battery backup unit changed state.
    Bbu {
        /// Before.
        from: BbuState,
        /// After.
        to: BbuState,
        /// True state of charge, 0 to 1.
        charge: f64,
    },
    /// A BESS changed state.
    Bess {
        /// Before.
        from: BessState,
        /// After.
        to: BessState,
        /// True state of charge, 0 to 1.
        charge: f64,
    },
    /// A BESS's breaker to the grid.
    GridBreaker {
        /// After.
        closed: bool,
    },
    /// A BESS hears its controller, or no longer does.
    Heartbeat {
        /// It hears it.
        heard: bool,
    },
    /// A cooling unit changed state.
    Cooling {
        /// Before.
        from: CoolingState,
        /// After.
        to: CoolingState,
    },
    /// The air that a cooling unit's racks breathe crossed a limit.
    Temperature {
        /// Before.
        from: HeatLevel,
        /// After.
        to: HeatLevel,
        /// Degrees Celsius.
        celsius: f64,
    },
}
