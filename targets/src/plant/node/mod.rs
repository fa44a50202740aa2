//! A machine: its power supplies, what it draws, and whether it lives.

mod life;
mod limits;
mod model;
mod reasons;

pub(super) use model::NodeModel;
pub use model::capped_clocks;
pub use reasons::ClockReasons;
