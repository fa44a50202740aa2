//! Asking a device as a client of its own protocol would: one question, what
//! was seen. Witnesses of telemetry faults look through this, and nothing in it
//! knows the board.

mod client;
mod modbus;
mod nut;
mod point;
mod redfish;
mod service;
mod snmp;
#[cfg(test)]
mod tests;

pub use client::{Question, ask};
pub use point::{Point, points};
pub use service::{AskedDevice, ProbeConfig, Watched, run_probe};
