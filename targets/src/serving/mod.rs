//! The reference serving stack: gateway, replicas, tokens, and a journal.

mod api;
mod config;
mod gateway;
pub(crate) mod http;
mod journal;
mod replica;
pub mod tokens;

pub use config::{
    Admission, GatewayConfig, GatewayMode, HealthCheck, KnownBad, PowerAware, ReplicaConfig,
    ReplicaRef,
};
pub use gateway::run_gateway;
pub use journal::{FsyncPolicy, JournalConfig, run_journal};
pub use replica::run_replica;
pub use tokens::{Message, RequestKey, answer, parse_token, request_key, token};

#[cfg(test)]
mod tests;
