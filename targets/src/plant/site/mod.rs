//! A site as written in YAML.

mod bess;
mod cooling;
mod links;
mod rack;
mod sources;
mod switch;
mod top;
mod ups;

pub use bess::Bess;
pub use cooling::{Cooling, Room};
pub use rack::{Bbu, Breaker, Pdu, Psu, Rack, RestorePolicy, Surge};
pub use sources::{Generator, Transfer, TransferKind, TransferWindow};
pub use switch::RackSwitch;
pub use top::{Nominal, Profile, Site, Utility};
pub use ups::{Battery, BatteryCondition, InputWindow, RuntimePoint, Strikes, Ups, UpsClass};
