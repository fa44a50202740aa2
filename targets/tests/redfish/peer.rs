//! Programs as installed on this machine.

#[path = "../shared/outcome.rs"]
mod outcome;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub(crate) use self::outcome::{Output, check};

/// How long anything may take.
const WAIT: Duration = Duration::from_secs(120);

/// One installed program.
#[derive(Clone, Debug)]
pub(crate) struct Peer(PathBuf);

impl Peer {
    /// DMTF's tools live in an environment of their own.
    pub(crate) fn find(program: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = || {
            let mut folders = std::env::split_paths(&path).map(|folder| folder.join(program));
            folders.find(|path| path.is_file()).map(Self)
        };
        Self::find_in("redfish", program).or_else(installed)
    }

    /// A program of one of the environments that `.ci/run` makes.
    pub(crate) fn find_in(environment: &str, program: &str) -> Option<Self> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let folder = cache.or_else(home)?.join("ridethrough").join(environment);
        let path = folder.join("bin").join(program);
        path.is_file().then_some(Self(path))
    }

    /// Another program of the same folder.
    pub(crate) fn beside(&self, program: &str) -> Self {
        Self(self.0.with_file_name(program))
    }

    /// The program, to be started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        command.stdin(Stdio::null()).kill_on_drop(true);
        // These would have requests look at certificates after all.
        for variable in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Output, Failed> {
        self.run_with(arguments, "").await
    }

    /// As [`Peer::run`], with this on its standard input.
    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Result<Output, Failed> {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await?;
        }
        Output::of(child, WAIT).await
    }
}
