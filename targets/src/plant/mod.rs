//! The physics of a site: RMS envelopes at half-cycle fidelity, event-driven,
//! microseconds. See [`Plant`].

mod act;
mod act_faults;
mod battery;
mod bbu;
mod bench;
mod bess;
mod bus;
mod command;
mod common;
mod cooling;
mod curve;
mod curves;
mod engine;
mod event;
mod generator;
mod graph;
mod identity;
mod inspect;
mod ledger;
mod lfp;
mod meters;
mod node;
mod pdu;
mod psu;
mod query;
mod rack;
mod refresh;
mod room;
mod site;
mod timers;
mod transfer;
mod ups;
mod utility;
mod validate;

#[cfg(test)]
mod tests;

pub use bench::BatteryBench;
pub use common::common_modes;
pub use curves::{
    Disturbance, DisturbanceKind, DisturbanceLength, RideThrough, classify, disturbances,
};
pub use engine::Plant;
pub use event::{
    BatteryState, BbuState, BessState, Change, CoolingState, GeneratorFault, GeneratorState,
    HeatLevel, NodeLoad, PlantAction, PlantEvent, PowerTarget, TransferState, UpsState,
};
pub use ledger::EnergyLedger;
pub use node::{ClockReasons, capped_clocks};
pub use site::{
    Battery, BatteryCondition, Bbu, Bess, Breaker, Cooling, Generator, InputWindow, Nominal, Pdu,
    Profile, Psu, Rack, RackSwitch, RestorePolicy, Room, RuntimePoint, Site, Strikes, Surge,
    Transfer, TransferKind, TransferWindow, Ups, UpsClass, Utility,
};
pub use validate::SiteError;
