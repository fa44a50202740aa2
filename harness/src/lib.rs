//! ridethrough: when the power goes, what happens to the requests?
//!
//! A playbook describes a site's power, a serving stack, a load, a timeline of
//! faults and a list of promises. The engine runs it and writes a record;
//! everything behind the record is a pure function of the record and the
//! playbook.
#![forbid(unsafe_code)]

pub mod builtin;
pub mod bundle;
pub mod cli;
pub mod compare;
pub mod conduct;
pub mod engine;
pub mod export;
mod footprint;
pub mod gameday;
mod guarded;
pub mod history;
pub mod judge;
pub mod load;
pub mod metrics;
pub mod outcome;
pub mod plan;
pub mod playbook;
pub mod record;
pub mod reference;
pub mod report;
mod virtual_time;
pub mod writer;
