//! The record of a run: one event log, written as it happens, from which
//! everything else follows.

mod event;

pub use event::{Body, Event, FaultReceipt, PhaseWindow, RunHeader, SCHEMA, WitnessReport};
