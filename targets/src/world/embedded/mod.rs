//! Nodes as Linux namespaces on this machine, without root and without a
//! container engine.
//!
//! ```text
//! harness ─▶ warden ─▶ site init (pid 1) ─▶ node init (pid 1) ─▶ services
//!    │                     own user, mount      own net, uts, ipc, mount,
//!    └─ the switch         and pid namespace    pid and time namespaces
//! ```
//!
//! Every process dies with its parent, and every init also when its control
//! socket closes. When the harness dies, however it dies, the kernel therefore
//! ends all of them, and with the last process the namespaces, network devices
//! and mounts are gone. Outside of them a world changes files of the run folder,
//! and control groups under the faults that need them: both are in the run's
//! journal first (`undo`).
//!
//! `elsewhere.rs` is this module where there is no Linux.

mod ahead;
mod available;
mod boot;
mod cgroup;
pub(in crate::world) mod channel;
mod check;
mod child;
mod config;
mod doctor;
mod echo;
mod enclosure;
mod files;
pub(in crate::world) mod ground;
mod hog;
mod hosts;
pub(in crate::world) mod kernel;
pub(in crate::world) mod live;
pub(in crate::world) mod machine;
mod measure;
pub(in crate::world) mod message;
mod mirror;
mod naming;
mod node;
pub(in crate::world) mod open;
mod probe;
mod procs;
mod refused;
mod resolver;
mod service;
mod setup;
mod shortage;
mod site;
mod sockets;
mod theft;
mod ties;
mod volume;
mod warden;
mod world;

pub use available::{as_root, available, bounds_memory, has_program, supported};
pub use child::{MARKER, RUN_MARK, run_child_if_asked};
pub use config::EmbeddedConfig;
pub use doctor::capabilities;
pub use open::open;
pub use world::EmbeddedWorld;
