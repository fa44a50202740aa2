//! Everything that can be wrong with a playbook that has the right shape.

mod all;
mod begun;
mod blast;
mod checker;
mod common_mode;
mod compound;
mod controls;
mod devices;
mod faults;
mod foreign;
mod load;
mod machines;
mod mixed;
mod network;
mod power;
mod promises;
mod site;
mod stack;
mod storage;
mod supervisor;
mod telemetry;
mod times;
mod world;

pub(crate) use all::{check, check_rest};
#[cfg(test)]
pub(crate) use checker::Checker;
pub(crate) use site::check_site;
#[cfg(test)]
pub(crate) use site::report;
