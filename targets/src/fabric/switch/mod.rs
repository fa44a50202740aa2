//! One user-space Ethernet switch, run by the harness, over TAP devices that
//! live in the nodes' own network namespaces.
//!
//! Every frame between two nodes crosses [`Switch`], which applies the link
//! rules, counts for witnesses and writes the capture.

mod alter;
mod capture;
mod control;
mod forward;
mod handle;
mod hold;
mod netlink;
mod parse;
mod port;
mod reactor;
mod reaper;
pub mod tap;
mod view;
pub mod wire;

pub use handle::{Switch, SwitchConfig};
