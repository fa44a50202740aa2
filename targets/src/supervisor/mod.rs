//! The emulated power supervisor.

mod card;
mod config;
mod forward;
mod machine;
mod mapping;
pub mod nut;
mod poller;
pub mod snmp;
#[allow(clippy::module_inception)]
mod supervisor;
#[cfg(test)]
mod tests;
mod watch;

pub use card::{CardConfig, card_on, run_card};
pub use config::{SupervisorConfig, SupervisorState};
pub use machine::{DeviceView, Look, Machine, Step};
pub use supervisor::{CardAddress, SupervisorService, run_supervisor, supervisor_on};
pub use watch::{UNREACHABLE, WatchConfig, run_watch};
