//! The site for people and their tools: Prometheus text, its state as JSON, and
//! a stream of what changes.

mod config;
mod families;
mod server;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_tests;

pub use config::MetricsConfig;
pub use server::run_metrics_on;
