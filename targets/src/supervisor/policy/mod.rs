//! What a supervisor does about what it believes: its policy, and the orders
//! that it sends to devices over their own protocols.

mod carry;
#[cfg(test)]
mod carry_tests;
mod config;
mod decide;
mod desk;
#[cfg(test)]
mod tests;

pub(super) use carry::{HEARTBEAT, Way};
pub use config::{BessPolicy, GeneratorPolicy, RetransferMode, ShedLevel, ShedWhen};
pub use decide::Governed;
pub(super) use decide::{Policy, Shed, Side, Sight};
pub(super) use desk::{Desk, Outcome};
