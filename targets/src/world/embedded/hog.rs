//! Finding out whether a node's processes can get memory: by taking it.

use std::io;
use std::process::{Command, ExitCode, Stdio};

use super::child::MARKER;

/// A process that asks for memory, and is the first that the kernel kills for
/// the want of it.
pub(super) struct Hog {
    /// Whom to answer.
    pub(super) id: u64,
    pid: i32,
}

impl Hog {
    /// Starts one. It ends well when it got all that it asked for.
    pub(super) fn start(id: u64, bytes: u64) -> io::Result<Self> {
        let child = Command::new("/proc/self/exe")
            .args([MARKER, "hog", &bytes.to_string()])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
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

/// Takes so much memory, and ends.
pub(super) fn main(bytes: Option<String>) -> ExitCode {
    // So that the kernel does not choose a service instead.
    if std::fs::write("/proc/self/oom_score_adj", "1000").is_err() {
        return ExitCode::from(2);
    }
    let Some(bytes) = bytes.and_then(|bytes| bytes.parse::<usize>().ok()) else {
        return ExitCode::from(2);
    };
    let mut memory: Vec<u8> = Vec::new();
    if memory.try_reserve_exact(bytes).is_err() {
        return ExitCode::FAILURE;
    }
    // Not zeros, which the kernel has ready without giving any page.
    memory.resize(bytes, 0x5a);
    std::hint::black_box(&memory);
    ExitCode::SUCCESS
}
