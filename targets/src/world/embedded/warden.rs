//! The harness's hold on its warden.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::channel::{self, AsyncChannel};
use super::child::{MARKER, RUN_MARK};
use super::kernel;

/// A warden that runs. It dies when this is dropped, and with it the site.
#[derive(Debug)]
pub(super) struct Warden {
    /// To the init of the site.
    pub(super) control: AsyncChannel,
    pidfd: OwnedFd,
    ended: watch::Receiver<bool>,
}

impl Warden {
    /// Starts `exe` as a warden of the run in `folder`, which marks its processes.
    ///
    /// The kernel binds the warden's life to the thread that starts it, so it
    /// gets a thread that does nothing but wait for it.
    pub(super) async fn start(exe: &Path, folder: &Path, log: File) -> io::Result<Self> {
        let (ours, theirs) = channel::pair()?;
        let mut command = Command::new(exe);
        command
            .args([MARKER, "warden"])
            .arg(folder)
            .env(RUN_MARK, folder)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log));
        let (started, start) = oneshot::channel();
        let (end, ended) = watch::channel(false);
        std::thread::Builder::new()
            .name("warden".into())
            .spawn(move || {
                let spawned = kernel::spawn_bound(&mut command);
                // Its copy of the socket would keep the site's end open.
                drop(command);
                match spawned {
                    Ok(mut child) => {
                        let _ = started.send(kernel::pidfd_open(child.id() as i32));
                        let _ = child.wait();
                        let _ = end.send(true);
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            })?;
        let pidfd = start.await.map_err(io::Error::other)??;
        Ok(Self {
            control: AsyncChannel::new(ours)?,
            pidfd,
            ended,
        })
    }

    /// Ends the site and waits until nothing of it is left.
    ///
    /// The site's init ends when its socket closes; its death ends every other
    /// process of the site; the warden ends after the last of them.
    pub(super) async fn end(&self, limit: Duration) -> io::Result<()> {
        self.control.shut()?;
        let mut ended = self.ended.clone();
        if timeout(limit, ended.wait_for(|ended| *ended)).await.is_ok() {
            return Ok(());
        }
        kernel::pidfd_kill(self.pidfd.as_fd())?;
        let _ = timeout(limit, ended.wait_for(|ended| *ended)).await?;
        Ok(())
    }
}
