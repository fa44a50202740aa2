//! SunSpec Modbus: battery storage on Modbus TCP.

mod block;
mod client;
mod config;
mod frame;
mod models;
mod order;
mod serve;

pub use client::{ModbusClient, ModbusError, SunspecMap};
pub use config::SunspecConfig;
pub use serve::run_sunspec_on;

#[cfg(test)]
mod tests;
