//! The physics of a site: RMS envelopes at half-cycle fidelity, event-driven,
//! microseconds. See [`Plant`].

mod event;
mod plant;
mod site;

pub use event::{BatteryState, Change, NodeLoad, PlantAction, PlantEvent, PowerTarget, UpsState};
pub use plant::{Plant, SiteError};
pub use site::{
    Battery, BatteryCondition, Breaker, InputWindow, Nominal, Pdu, Profile, Psu, Rack,
    RestorePolicy, RuntimePoint, Site, Ups, UpsClass, Utility,
};
