//! Redfish (DSP0266): PDUs, transfer switches, power shelves, batteries and the
//! machines' BMCs, over a telemetry board.
//!
//! Redfish has no resource for a UPS; those speak NUT, SNMP and the metrics
//! page. Generators, feeders and cooling units are not shown either.

mod access;
mod accounts;
mod act;
mod ask;
mod body;
mod change;
mod config;
mod core;
mod doc;
mod error;
mod events;
mod kinds;
mod look;
mod messages;
mod network;
mod patch;
mod query;
mod resource;
mod server;
mod service;
mod sessions;
mod site;
mod state;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use access::written as basic;
pub use config::{RedfishConfig, RedfishLimits, RedfishRole, RedfishUser};
pub use server::{Redfish, run_redfish_on};
