//! Looking at a service's health with a program: it runs beside the service, sees
//! what the service sees, and its exit code is the answer.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use super::child::MARKER;
use super::enclosure::{HOME, run};
use super::kernel;
use super::message::{Answer, Ask};
use super::setup::Doing;
use super::world::EmbeddedWorld;
use crate::world::WorldError;

/// A program that looks, and whom to answer.
pub(super) struct Look {
    /// Whom to answer.
    pub(super) id: u64,
    pid: i32,
}

impl Look {
    /// Starts one beside a service, whose process `of` is.
    pub(super) fn start(
        id: u64,
        of: BorrowedFd<'_>,
        argv: &[String],
        log: OwnedFd,
    ) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command
            .args([MARKER, "check"])
            .args(argv)
            .env_clear()
            .env("PATH", super::procs::PATH)
            .env("HOME", HOME)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let of = of.try_clone_to_owned()?;
        let child = kernel::spawn_service(&mut command, Some(of))?;
        let pid = child.id() as i32;
        // Its death is collected with everybody's, so not through this.
        drop(child);
        Ok(Self { id, pid })
    }

    /// Whether this is its number.
    pub(super) fn is(&self, pid: i32) -> bool {
        self.pid == pid
    }
}

/// Goes to where the service is, and becomes the program.
pub(super) fn main(argv: impl Iterator<Item = String>) -> ExitCode {
    let argv: Vec<String> = argv.collect();
    let there = kernel::inherited(kernel::WIRE_FD)
        .doing("find the service")
        .and_then(|of| setns(of, CloneFlags::CLONE_NEWNS).doing("go to the service"))
        .and_then(|()| nix::unistd::chdir(HOME).doing("enter its home"))
        .and_then(|()| run(&argv));
    there.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

impl EmbeddedWorld {
    /// See [`World::check`](crate::world::World::check).
    pub(super) async fn run_beside(
        &self,
        node: &str,
        service: &str,
        argv: &[String],
        limit: Duration,
    ) -> Result<bool, WorldError> {
        let ask = Ask::Check {
            service: service.to_string(),
            argv: argv.to_vec(),
        };
        match self.live(node)?.ask(ask, limit).await? {
            Answer::Checked(fine) => Ok(fine),
            other => Err(WorldError::Failed(format!(
                "a check was answered {other:?}"
            ))),
        }
    }
}
