//! Faults of the supply. Nothing they lead to is scripted: it follows from the
//! plant.

mod battery;
mod brake;
mod breaker;
mod cap;
mod cooling;
mod device;
mod frequency;
mod generator;
mod outlet;
mod pickup;
mod power_loss;
mod psu;
mod retransfer;
mod steps;
mod supply;
mod transfer;
mod ups;
mod waveform;

pub(crate) use battery::{BatteryAged, BatteryOpen};
pub(crate) use brake::Brake;
pub(crate) use breaker::Breaker;
pub(crate) use cap::Cap;
pub(crate) use cooling::Cooling;
pub(crate) use frequency::Frequency;
pub(crate) use generator::Generator;
pub(crate) use outlet::Outlet;
pub(crate) use pickup::Pickup;
pub(crate) use power_loss::PowerLoss;
pub(crate) use psu::Psu;
pub(crate) use retransfer::Retransfer;
pub(crate) use supply::Supply;
pub(crate) use transfer::Transfer;
pub(crate) use ups::{Converter, Why};
pub(crate) use waveform::Waveform;
