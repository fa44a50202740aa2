//! A BESS: its state machine, and the flows through it.

mod flow;
mod model;
mod orders;

pub(super) use model::BessModel;
