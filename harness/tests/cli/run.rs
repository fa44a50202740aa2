//! Running the program and looking at what it left.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program under test.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ridethrough"));
    command.env_remove("RIDETHROUGH_LOG").env("NO_COLOR", "1");
    // A CI system that runs these tests is not told of their runs.
    for name in [
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_WORKSPACE",
        "CI_PROJECT_DIR",
    ] {
        command.env_remove(name);
    }
    command
}

/// A file of these tests.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli/data")
        .join(name)
}

/// The folder that the workspace is in.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A shipped playbook.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../playbooks")
        .join(name)
}

/// Runs to the end.
pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())
}

/// Everything a run said, for messages.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The exit code is as it must be.
pub(crate) fn exits(output: &Output, code: i32) -> Result<(), String> {
    if output.status.code() == Some(code) {
        Ok(())
    } else {
        Err(format!(
            "exit {:?}, not {code}:\n{}",
            output.status.code(),
            said(output)
        ))
    }
}

/// A condition with its message.
pub(crate) fn holds(condition: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(message()) }
}

/// The summary of a run folder.
pub(crate) fn summary(folder: &Path) -> Result<serde_json::Value, String> {
    let text = std::fs::read_to_string(folder.join("summary.json")).map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

/// The record of a run folder.
pub(crate) fn events(folder: &Path) -> Result<Vec<serde_json::Value>, String> {
    let text = std::fs::read_to_string(folder.join("record.jsonl")).map_err(|e| e.to_string())?;
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().map_err(|e| e.to_string())
}

/// A folder that is gone when the case is over.
pub(crate) fn folder() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|error| error.to_string())
}

/// Starts a run and reads its stderr until a line holds `word`.
pub(crate) fn start_until(command: &mut Command, word: &str) -> Result<Child, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stderr = child.stderr.take().ok_or("no stderr")?;
    let mut seen = String::new();
    let mut buffer = [0; 512];
    while !seen.contains(word) {
        match stderr.read(&mut buffer) {
            Ok(0) | Err(_) => return Err(format!("it ended before it said {word:?}: {seen}")),
            Ok(n) => seen.push_str(&String::from_utf8_lossy(&buffer[..n])),
        }
    }
    // The rest is read and dropped, so that the program never meets a closed pipe.
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    Ok(child)
}

/// Sends a run what a terminal sends on Ctrl-C.
pub(crate) fn press_ctrl_c(child: &Child) -> Result<(), String> {
    let mut kill = Command::new("kill");
    exits(&output(kill.arg("-INT").arg(child.id().to_string()))?, 0)
}
