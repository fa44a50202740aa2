//! The harness's hold on its guardian.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::place::{GUARD, JOURNAL};
use crate::units::Span;
use crate::world::embedded::MARKER;

/// How often the harness shows that it lives.
const BEAT: Duration = Duration::from_millis(250);
/// How long the guardian may take to be there, or to go.
const LIMIT: Duration = Duration::from_secs(10);
/// What is sent to show life, and at the orderly end of a run.
pub(super) const ALIVE: u8 = b'.';
/// See [`ALIVE`].
pub(super) const OVER: u8 = b'!';
/// The run is over and not all of it could be taken back: the guardian tries,
/// and leaves the harness alone.
pub(super) const LEFT: u8 = b'?';

/// What a guardian is told at its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardOrder {
    /// The folder of journals.
    pub state: PathBuf,
    /// The run.
    pub run: String,
    /// The harness's process.
    pub harness: u32,
    /// A harness that shows no life for so long is ended: it could not heal
    /// what it broke.
    pub lease: Span,
    /// A run that takes longer than this is ended.
    pub bound: Span,
}

impl GuardOrder {
    /// The run's journal.
    pub fn journal(&self) -> PathBuf {
        self.state.join(format!("{}.{JOURNAL}", self.run))
    }

    /// The guardian's own file.
    pub fn guard(&self) -> PathBuf {
        self.state.join(format!("{}.{GUARD}", self.run))
    }
}

/// A guardian that is there. When this is dropped without
/// [`over`](Self::over), the guardian undoes the run, and lets the harness live.
#[derive(Debug)]
pub struct Guard {
    over: oneshot::Sender<()>,
    beating: tokio::task::JoinHandle<()>,
    /// Cancelled when the guardian is gone: nothing may be broken any more.
    pub lost: CancellationToken,
}

impl Guard {
    /// Starts a guardian of this program's own file and waits until it watches.
    ///
    /// # Errors
    /// When it cannot be started or does not say that it is there.
    pub async fn start(exe: &Path, order: &GuardOrder) -> io::Result<Self> {
        std::fs::create_dir_all(&order.state)?;
        let mut child = Command::new(exe)
            .args([MARKER, "guardian"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let (Some(mut pipe), Some(mut said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut line = serde_json::to_vec(order).map_err(io::Error::other)?;
        line.push(b'\n');
        pipe.write_all(&line).await?;
        let mut there = [0];
        let heard = match timeout(LIMIT, said.read_exact(&mut there)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(io::Error::other("the guardian ended at once")),
            Err(late) => Err(late.into()),
        };
        if let Err(error) = heard {
            // One that comes too late would take a closed pipe for a death.
            let _ = child.start_kill();
            return Err(error);
        }
        let lost = CancellationToken::new();
        let (over, ended) = oneshot::channel();
        let beating = tokio::spawn(beat(child, pipe, ended, lost.clone()));
        Ok(Self {
            over,
            beating,
            lost,
        })
    }

    /// The run is over and nothing of it is left: the guardian goes, and is
    /// waited for.
    pub async fn over(self) {
        let _ = self.over.send(());
        let _ = timeout(LIMIT, self.beating).await;
    }
}

/// Shows life until the run is over. A pipe that closes without a word is the
/// death of the harness.
async fn beat(
    mut child: Child,
    mut pipe: ChildStdin,
    mut over: oneshot::Receiver<()>,
    lost: CancellationToken,
) {
    loop {
        tokio::select! {
            biased;
            ended = &mut over => {
                let word = if ended.is_ok() { OVER } else { LEFT };
                let _ = pipe.write_all(&[word]).await;
                break;
            }
            _ = child.wait() => break,
            () = tokio::time::sleep(BEAT) => {
                if pipe.write_all(&[ALIVE]).await.is_err() {
                    break;
                }
            }
        }
    }
    drop(pipe);
    let _ = child.wait().await;
    lost.cancel();
}
