//! The reference serving stack: gateway, replicas, tokens.

mod config;

pub use config::{
    Admission, GatewayConfig, GatewayMode, HealthCheck, KnownBad, PowerAware, ReplicaConfig,
    ReplicaRef,
};
