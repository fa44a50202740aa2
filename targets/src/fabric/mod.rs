//! The network between nodes: what its rules decide for each frame, and the
//! switch that carries frames.
//!
//! The rules are the same in every world; the switch needs Linux.

mod frame;
// Some of what the switch asks of these, nobody else does.
#[cfg_attr(not(linux_worlds), allow(dead_code))]
mod link;
#[cfg_attr(not(linux_worlds), allow(dead_code))]
mod rules;
#[cfg(linux_worlds)]
mod switch;
mod tally;

pub(crate) use frame::Frame;
pub(crate) use link::{Decision, Link, Verdict};
pub(crate) use rules::RuleBook;
#[cfg(linux_worlds)]
pub use switch::{Switch, SwitchConfig, tap, wire};
