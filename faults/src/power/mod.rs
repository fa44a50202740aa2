//! Faults of the supply. Nothing they lead to is scripted: it follows from the
//! plant.

mod battery;
mod brake;
mod breaker;
mod power_loss;
mod supply;

pub(crate) use battery::{BatteryAged, BatteryOpen};
pub(crate) use brake::Brake;
pub(crate) use breaker::Breaker;
pub(crate) use power_loss::PowerLoss;
pub(crate) use supply::Supply;
