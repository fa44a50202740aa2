//! What a program printed and how it ended.

use std::time::Duration;

use libtest_mimic::Failed;
use tokio::process::Child;
use tokio::time::timeout;

/// What a program printed and how it ended.
pub(crate) struct Output {
    pub(crate) good: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Output {
    /// Waits for a program whose output is piped; it may take so long.
    pub(crate) async fn of(child: Child, wait: Duration) -> Result<Self, Failed> {
        let output = timeout(wait, child.wait_with_output())
            .await
            .map_err(|_| "it never ended")??;
        Ok(Self {
            good: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// A check that says what it saw.
pub(crate) fn check(holds: bool, saw: impl Into<String>) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(saw.into().into())
    }
}
