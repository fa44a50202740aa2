//! A model server with a clockwork model.

mod bad;
mod metrics;
mod scheduler;
mod service;
mod stream;

pub use service::run_replica;
