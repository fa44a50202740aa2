//! Services of others that are looked at on their own machine: by a program
//! beside them, or by what they log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;

use ridethrough_targets::world::World;

use super::readiness::Readiness;
use super::recorder::Recorder;
use crate::plan::{Look, Way};
use crate::record::Body;

/// A longer log of a start is read no further.
const LOG_MAX: u64 = 16 << 20;

/// Looks until each is healthy, and says so. Ends with the set.
pub(super) fn watch(
    looks: Vec<Look>,
    world: &Arc<dyn World>,
    logs: &Path,
    readiness: &Arc<Readiness>,
    recorder: &Recorder,
) -> JoinSet<()> {
    let mut watching = JoinSet::new();
    for look in looks {
        let (world, logs) = (Arc::clone(world), logs.to_path_buf());
        let (readiness, recorder) = (Arc::clone(readiness), recorder.clone());
        watching.spawn(async move {
            while !healthy(&look, &world, &logs).await {
                tokio::time::sleep(look.interval.duration()).await;
            }
            readiness.ready(&look.node, &look.service);
            let body = Body::ServiceReady {
                node: look.node.clone(),
                service: look.service.clone(),
            };
            recorder.now(&look.node, body);
        });
    }
    watching
}

async fn healthy(look: &Look, world: &Arc<dyn World>, logs: &Path) -> bool {
    match &look.way {
        Way::Command(argv) => {
            let checked = world.check(&look.node, &look.service, argv, look.timeout);
            // A node that is not up yet is not healthy yet.
            checked.await.unwrap_or(false)
        }
        Way::Log(text) => {
            let log = logs.join(format!("{}.log", look.node));
            let text = text.clone();
            let read = tokio::task::spawn_blocking(move || holds(&log, &text));
            read.await.unwrap_or(false)
        }
    }
}

/// Whether a line of a log holds a text.
fn holds(log: &PathBuf, text: &str) -> bool {
    use std::io::Read;
    let mut all = Vec::new();
    let read = std::fs::File::open(log).and_then(|file| file.take(LOG_MAX).read_to_end(&mut all));
    let all = String::from_utf8_lossy(&all);
    read.is_ok() && all.lines().any(|line| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn a_line_of_the_log_tells() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("gpu-1.log");
        assert!(!holds(&log, "ready"));
        std::fs::write(&log, "loading\nserver is ready on 8001\n").expect("written");
        assert!(holds(&log, "is ready"));
        assert!(!holds(&log, "loading server"));
    }
}
