//! The physics of a site: RMS envelopes at half-cycle fidelity, event-driven,
//! microseconds. See [`Plant`].

mod act;
mod battery;
mod bench;
mod bus;
mod command;
mod curve;
mod engine;
mod event;
mod graph;
mod identity;
mod ledger;
mod meters;
mod node;
mod pdu;
mod psu;
mod query;
mod rack;
mod site;
mod timers;
mod ups;
mod utility;
mod validate;

#[cfg(test)]
mod tests;

pub use bench::BatteryBench;
pub use engine::Plant;
pub use event::{BatteryState, Change, NodeLoad, PlantAction, PlantEvent, PowerTarget, UpsState};
pub use ledger::EnergyLedger;
pub use site::{
    Battery, BatteryCondition, Breaker, InputWindow, Nominal, Pdu, Profile, Psu, Rack,
    RestorePolicy, RuntimePoint, Site, Ups, UpsClass, Utility,
};
pub use validate::SiteError;
