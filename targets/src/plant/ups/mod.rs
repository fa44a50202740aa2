//! A UPS: its state machine, its output, and the flows through it.

mod flow;
mod model;
mod states;

pub(super) use model::UpsModel;
