//! Waiting until the stack can be used, or knowing why it cannot.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};
use tokio::sync::Notify;

use super::error::EngineError;

/// Which services have said that they can be used, and which have given up.
#[derive(Default)]
pub(crate) struct Readiness {
    seen: Mutex<IndexMap<(String, String), Seen>>,
    changed: Notify,
}

#[derive(Clone)]
enum Seen {
    Ready,
    Gone(String),
}

impl Readiness {
    pub(crate) fn ready(&self, node: &str, service: &str) {
        self.note(node, service, Seen::Ready);
    }

    /// A service that ended before it was ready never will be.
    pub(crate) fn gone(&self, node: &str, service: &str, why: String) {
        self.note(node, service, Seen::Gone(why));
    }

    fn note(&self, node: &str, service: &str, seen: Seen) {
        let key = (node.to_string(), service.to_string());
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, seen);
        self.changed.notify_waiters();
    }

    /// Waits until all of these are ready; the first service that ends instead,
    /// or the bound, is the error, which names the nodes' logs in `logs`.
    pub(crate) async fn wait(
        &self,
        services: &[(String, String)],
        bound: Duration,
        logs: &Path,
    ) -> Result<(), EngineError> {
        let deadline = tokio::time::Instant::now() + bound;
        loop {
            let changed = self.changed.notified();
            let missing = self.missing(services)?;
            if missing.is_empty() {
                return Ok(());
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Err(late(&missing, bound, logs));
            }
        }
    }

    fn missing<'a>(
        &self,
        services: &'a [(String, String)],
    ) -> Result<Vec<&'a (String, String)>, EngineError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for ((node, service), seen) in seen.iter() {
            if let Seen::Gone(why) = seen {
                return Err(EngineError::NotReady(format!(
                    "{} {why}",
                    name(node, service)
                )));
            }
        }
        let missing = services.iter().filter(|key| !seen.contains_key(*key));
        Ok(missing.collect())
    }
}

fn late(missing: &[&(String, String)], bound: Duration, logs: &Path) -> EngineError {
    let names: Vec<_> = missing.iter().map(|(n, s)| name(n, s)).collect();
    let nodes: IndexSet<&str> = missing.iter().map(|(node, _)| host(node)).collect();
    let log = |node: &&str| logs.join(format!("{node}.log"));
    EngineError::NotHealthy {
        what: format!(
            "not healthy within {} s: {}",
            bound.as_secs(),
            names.join(", ")
        ),
        logs: nodes.iter().map(log).collect(),
    }
}

/// The node, also that of a door.
fn host(node: &str) -> &str {
    let door = node.strip_prefix("door:");
    let host = door.and_then(|door| Some(door.rsplit_once(':')?.0));
    host.unwrap_or(node)
}

/// A service, or a door (`door:host:port`, no service) in words.
fn name(node: &str, service: &str) -> String {
    match node.strip_prefix("door:") {
        Some(door) => format!("no connection to {door}"),
        None => format!("{service} on {node}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Vec<(String, String)> {
        vec![("gpu-1".to_string(), "replica".to_string())]
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_is_never_healthy_is_named() {
        let error = Readiness::default()
            .wait(&one(), Duration::from_secs(30), Path::new("run/logs"))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("replica on gpu-1") && error.contains("30 s"),
            "{error}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_logs_and_the_bound_to_change_are_named() {
        let door = ("door:deaf:9999".to_string(), String::new());
        let waited = [one(), one(), vec![door]].concat();
        let error = Readiness::default()
            .wait(&waited, Duration::from_secs(3), Path::new("run/logs"))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("see run/logs/gpu-1.log, run/logs/deaf.log, or"),
            "{text}"
        );
        assert!(text.contains("`ready_within`"), "{text}");
        assert!(!error.reason().contains("run/logs"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_ends_is_the_error_at_once() {
        let readiness = Readiness::default();
        readiness.gone("gpu-1", "replica", "ended: exit code 7".into());
        let error = readiness
            .wait(&one(), Duration::from_secs(30), Path::new("run/logs"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit code 7"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_wakes_who_waits() {
        let readiness = std::sync::Arc::new(Readiness::default());
        let other = std::sync::Arc::clone(&readiness);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            other.ready("gpu-1", "replica");
        });
        readiness
            .wait(&one(), Duration::from_secs(30), Path::new("run/logs"))
            .await
            .unwrap();
    }
}
