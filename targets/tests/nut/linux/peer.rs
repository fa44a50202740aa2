//! Programs of NUT as installed on this machine.

#[path = "../../shared/outcome.rs"]
mod outcome;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use tokio::process::Command;

pub(crate) use self::outcome::{Output, check};

/// How long anything may take.
pub(crate) const WAIT: Duration = Duration::from_secs(40);

/// One installed program.
#[derive(Clone, Debug)]
pub(crate) struct Peer(PathBuf);

impl Peer {
    /// Daemons are looked for below `lib/nut` first: Debian's wrappers of the
    /// same names run only on a configured host.
    pub(crate) fn find(program: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let known = ["/lib/nut", "/usr/lib/nut"].map(PathBuf::from);
        let known = known.into_iter().chain(std::env::split_paths(&path));
        let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        known
            .chain(system)
            .map(|folder| folder.join(program))
            .find(|path| path.is_file())
            .map(Self)
    }

    /// The program, to be started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// The program, with its configuration and state in one folder.
    pub(crate) fn command_in(&self, folder: &Path) -> Command {
        let mut command = self.command();
        for variable in [
            "NUT_CONFPATH",
            "NUT_STATEPATH",
            "NUT_ALTPIDPATH",
            "NUT_PIDPATH",
        ] {
            command.env(variable, folder);
        }
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Output, Failed> {
        let mut command = self.command();
        command.args(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Output::of(child.spawn()?, WAIT).await
    }
}
