//! Nodes as tasks of one thread, on virtual time: the same services, the same
//! plant and the same faults as elsewhere, with no privileges, in milliseconds
//! of real time, and the same again for the same seed.
//!
//! Time stands still while anything runs and jumps when all wait. It moves in
//! whole milliseconds, as tokio's timers do; what the plant does between two of
//! them keeps its own microsecond.

mod boot;
mod bound;
mod config;
mod connection;
mod disk;
mod drives;
mod logs;
mod shortage;
mod wire;
mod world;

pub use bound::EventBounds;
pub use config::VirtualConfig;
pub use wire::NeighbourTimes;
pub use world::VirtualWorld;
