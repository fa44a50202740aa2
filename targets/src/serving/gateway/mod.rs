//! The gateway: balancing, health, retries, resume, admission, shedding.

mod admission;
mod attempt;
mod balance;
mod budget;
mod gaps;
mod health;
mod metrics;
mod patience;
mod power;
mod relay;
mod resume;
mod service;

pub use service::run_gateway;
