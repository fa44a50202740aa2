//! The emulated power supervisor.

mod config;

pub use config::{SupervisorConfig, SupervisorState};
