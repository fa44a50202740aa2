//! The emulated power supervisor.

mod agent;
pub mod ask;
mod bess;
mod card;
mod config;
#[cfg(unix)]
pub mod driver;
mod forward;
mod govern;
mod machine;
mod mapping;
pub mod metrics;
pub mod nut;
mod policy;
mod poller;
pub mod redfish;
pub mod snmp;
pub mod sunspec;
#[allow(clippy::module_inception)]
mod supervisor;
#[cfg(test)]
mod tests;
mod watch;
mod web;

pub use agent::{NutAgentConfig, nut_on};
pub use card::{CardConfig, CardSockets, card_on, run_card};
pub use config::{SupervisorConfig, SupervisorState};
pub(crate) use config::{supervision, supervision_schema};
pub use machine::{DeviceView, Look, Machine, Step};
pub use policy::{BessPolicy, GeneratorPolicy, Governed, RetransferMode, ShedLevel, ShedWhen};
pub use supervisor::{CardAddress, SupervisorService, run_supervisor, supervisor_on};
pub use watch::{UNREACHABLE, WatchConfig, run_watch};
pub use web::WebLimits;
