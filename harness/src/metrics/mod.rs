//! A run that goes on, as numbers for Prometheus.

mod front;
mod gauges;
mod histogram;

pub use front::Meters;
pub use gauges::Gauges;

#[cfg(test)]
mod tests;
