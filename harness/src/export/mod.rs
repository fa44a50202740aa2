//! A record as OpenTelemetry traces.

mod ids;
mod otlp;
mod send;
mod traces;

pub use send::{Endpoint, SendError, send};
pub use traces::{Exported, export};

#[cfg(test)]
mod tests;
