//! What the gateway counts.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the gateway.
#[derive(Default)]
pub(super) struct Metrics {
    pub(super) requests: AtomicU64,
    pub(super) attempts: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) migrations: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) shed: AtomicU64,
    pub(super) failed: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// The exposition text; `replicas` are name, health, in flight.
    pub(super) fn render(&self, in_flight: u32, replicas: &[(String, bool, u32)]) -> String {
        let mut out = String::new();
        let counters = [
            ("requests_total", "Requests received.", &self.requests),
            ("attempts_total", "Attempts at replicas.", &self.attempts),
            (
                "retries_total",
                "Attempts after the first, before a first token.",
                &self.retries,
            ),
            (
                "model_migration_total",
                "Streams that went on at another replica.",
                &self.migrations,
            ),
            (
                "rejected_total",
                "Requests refused for load.",
                &self.rejected,
            ),
            ("shed_total", "Requests refused for power.", &self.shed),
            ("failed_total", "Requests given up.", &self.failed),
        ];
        for (name, help, value) in counters {
            let value = value.load(Ordering::Relaxed);
            let _ = writeln!(
                out,
                "# HELP ridethrough_gateway_{name} {help}\n# TYPE ridethrough_gateway_{name} counter\nridethrough_gateway_{name} {value}"
            );
        }
        let _ = writeln!(
            out,
            "# TYPE ridethrough_gateway_in_flight gauge\nridethrough_gateway_in_flight {in_flight}"
        );
        for (name, healthy, in_flight) in replicas {
            let _ = writeln!(
                out,
                "ridethrough_gateway_replica_healthy{{replica={name:?}}} {}",
                u8::from(*healthy)
            );
            let _ = writeln!(
                out,
                "ridethrough_gateway_replica_in_flight{{replica={name:?}}} {in_flight}"
            );
        }
        out
    }
}
