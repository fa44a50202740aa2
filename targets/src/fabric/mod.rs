//! The network between nodes: one user-space Ethernet switch, run by the
//! harness, over TAP devices that live in the nodes' own network namespaces.
//!
//! Every frame between two nodes crosses [`Switch`], which applies the link
//! rules, counts for witnesses and writes the capture.

mod capture;
mod control;
mod forward;
mod frame;
mod hold;
mod link;
mod netlink;
mod port;
mod reactor;
mod reaper;
mod rules;
mod switch;
pub mod tap;
mod view;

pub(crate) use frame::Frame;
pub(crate) use link::{Link, Verdict};
pub(crate) use rules::RuleBook;
pub use switch::{Switch, SwitchConfig};
