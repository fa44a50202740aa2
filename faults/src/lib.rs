//! How it breaks, how that is proved, how it is put back.
//!
//! A fault is an interval. It is prepared before anything starts, injected,
//! witnessed by another mechanism than its injector, healed, and witnessed
//! again. A fault without a witness makes its run invalid.
#![forbid(unsafe_code)]

pub mod catalogue;
mod lifecycle;
mod network;
mod node;
mod power;
mod select;
mod storage;
mod telemetry;

pub use lifecycle::{
    Aim, Asked, BatteryTruth, Fault, FaultError, Finding, Ground, Injected, Machines, Power,
    Question, StepRate, Telemetry,
};
pub use select::fault;
