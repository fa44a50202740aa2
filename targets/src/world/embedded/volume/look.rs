//! Probing a volume, as a node's init does it: on a thread, because a volume may
//! be slow and the init must not be.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use super::super::channel;
use super::super::message::{Answer, FromNode};
use crate::clock::Clock;
use crate::disk::{DiskProbe, DiskReport, HostDisk, PROBE_FILE, probe};

/// What to look at, and for whom.
pub(in super::super) struct Look {
    /// The answer's number.
    pub(in super::super) id: u64,
    /// Where the volume is mounted.
    pub(in super::super) folder: PathBuf,
    /// What to try.
    pub(in super::super) asked: DiskProbe,
    /// Leave the last file there.
    pub(in super::super) keep: bool,
}

/// Starts a thread that looks and answers.
pub(in super::super) fn look(look: Look, control: OwnedFd) {
    let id = look.id;
    let fallback = control.try_clone();
    let started = std::thread::Builder::new()
        .name("probe".into())
        .spawn(move || {
            let answer = match report(&look) {
                Ok(report) => Answer::Disk(report),
                Err(error) => Answer::Failed(error.to_string()),
            };
            let _ = channel::send(control.as_fd(), &FromNode::Reply(look.id, answer), &[]);
        });
    if let (Err(error), Ok(control)) = (started, fallback) {
        let answer = Answer::Failed(error.to_string());
        let _ = channel::send(control.as_fd(), &FromNode::Reply(id, answer), &[]);
    }
}

fn report(look: &Look) -> std::io::Result<DiskReport> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let disk = HostDisk::new(&look.folder);
    let report = runtime.block_on(probe(&disk, &look.asked, Clock::start()));
    // A call that hangs is left to the end of the node.
    runtime.shutdown_background();
    if !look.keep {
        let _ = std::fs::remove_file(look.folder.join(PROBE_FILE));
    }
    Ok(report)
}
