//! Nodes as containers of a Docker engine on this machine, on the same fabric.
//!
//! ```text
//! harness ──engine API──▶ container (no network) ─ pid 1: a node's init ─▶ services
//!    │   ◀──orders, wires, TAP over a socket in a shared folder──┘   │
//!    └─ the switch                        containers of images join its namespaces
//! ```
//!
//! What a node's init is and does is the embedded world's: only who makes its
//! namespaces differs. A cut of power kills pid 1 of the node's pid namespace, and
//! with it every process of every container that has joined it, at one instant.
//!
//! `elsewhere.rs` is this module where there is no Linux.

mod apart;
mod doctor;
mod engine;
mod fetch;
mod ground;
mod guests;
mod image;
mod joined;
mod left;
mod open;
mod project;
mod revive;
mod rootfs;
mod spec;

pub(in crate::world) use doctor::capability;
pub use engine::available;
pub use fetch::{Tell, fetch};
pub use image::image_of;
pub use left::{LABEL, Remains, remains, remove_run};
pub use open::{open, open_attached};
pub use project::{Interface, Member, Network, Project, project};
pub use revive::{Revival, revive};
