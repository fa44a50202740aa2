//! An SNMP agent for power devices: SNMPv1 (RFC 1157), SNMPv2c (RFC 1901) and
//! SNMPv3 with the user-based security model (RFC 3414), over the telemetry
//! board.
//!
//! One port serves many devices. A community `public@ups-a`, or the context
//! name `ups-a` of SNMPv3, selects a device; without one it is the first UPS,
//! or the first device where there is no UPS.
//!
//! When the board says that a device's data are stale, the agent does as a
//! management card that has lost the wire to its device: it goes on answering
//! for itself, what it would measure has no instance, statuses are unknown and
//! `upsAlarmCommunicationsLost` is in the alarm table.

mod agent;
mod alarms;
mod config;
mod control;
mod message;
mod mib;
mod query;
mod selftest;
mod server;
mod set;
mod table;
#[cfg(test)]
mod tests;
mod traps;
mod usm;
mod value;

pub use config::{AuthProtocol, PrivProtocol, SnmpConfig, TrapMib, TrapSink, TrapVersion, UsmUser};
pub use server::{run_snmp, run_snmp_on};
pub(super) use value::object_id;
