//! NUT drivers: an `upsd` of others serves the devices of a board, each from a
//! Unix socket in its state folder, over the protocol that upsd and its drivers
//! speak (NUT developer guide, "Driver/server socket protocol").
//!
//! Here the driver is the server. What clients may see and order, upsd decides.

mod connection;
mod post;
mod socket;
mod words;

pub use post::run_driver_on;
pub use socket::{DRIVER, DriverSocketError, DriverSockets};

#[cfg(test)]
mod tests;
