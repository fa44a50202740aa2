//! Telemetry that fails while the devices do not.

mod distort;
mod evidence;
mod look;
mod sign;

pub(crate) use distort::Distort;
