//! The emulated power supervisor.

mod config;
pub mod nut;

pub use config::{SupervisorConfig, SupervisorState};
