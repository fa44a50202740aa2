//! The embedded world without root.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::mini::{DOCTOR, NOBODY, NOBODY_SHUT, ONCE};
use super::site::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let here = can_be_nobody();
    [
        trial("embedded::nobody::everything", everything),
        trial("embedded::nobody::doctor", doctor),
        trial("embedded::nobody::doctor_without_tap", doctor_without_tap),
    ]
    .into_iter()
    .map(|trial| trial.with_ignored_flag(!here))
    .collect()
}

/// Whether nobody can be tried here. Without root, every other trial is this
/// one already; and some machines keep user namespaces from ordinary users.
pub(crate) fn can_be_nobody() -> bool {
    let key = |name: &str| {
        let path = format!("/proc/sys/{name}");
        std::fs::read_to_string(path).map(|text| text.trim().to_string())
    };
    let off = key("kernel/unprivileged_userns_clone").is_ok_and(|text| text == "0")
        || key("kernel/apparmor_restrict_unprivileged_userns").is_ok_and(|text| text == "1");
    nix::unistd::geteuid().is_root() && !off
}

/// What this binary says as nobody.
async fn run(how: &'static str, verb: &'static str) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(how).arg(folder.path()).arg(verb);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{}: {text}{errors}", output.status).into());
    }
    Ok(text)
}

async fn everything() -> Result<(), Failed> {
    let text = run(NOBODY, ONCE).await?;
    assert!(text.contains("uid 65534, notes []"), "{text}");
    assert!(text.contains("done"), "{text}");
    Ok(())
}

async fn doctor() -> Result<(), Failed> {
    let text = run(NOBODY, DOCTOR).await?;
    for name in ["user namespaces", "TAP devices", "time namespaces"] {
        assert_eq!(find(&text, name)?["found"], true, "{text}");
    }
    let world = find(&text, "embedded world")?;
    assert_eq!(world["detail"], "uid 65534 as root of a user namespace");
    assert_eq!(text.lines().count(), 1, "{text}");
    Ok(())
}

async fn doctor_without_tap() -> Result<(), Failed> {
    let text = run(NOBODY_SHUT, DOCTOR).await?;
    assert_eq!(find(&text, "user namespaces")?["found"], true, "{text}");
    for name in ["TAP devices", "embedded world"] {
        let row = find(&text, name)?;
        assert_eq!(row["found"], false, "{text}");
        let remedy = row["remedy"].as_str().unwrap_or_default();
        assert!(remedy.contains("chmod 0666 /dev/net/tun"), "{remedy}");
    }
    // Opening a world says the same.
    let said = text.lines().nth(1).unwrap_or_default();
    assert!(
        said.starts_with("no TAP device (Permission denied); let"),
        "{said}"
    );
    Ok(())
}

fn find(text: &str, name: &str) -> Result<Value, Failed> {
    let list: Vec<Value> = serde_json::from_str(text.lines().next().unwrap_or_default())?;
    let row = list.into_iter().find(|row| row["name"] == name);
    row.ok_or_else(|| format!("no `{name}` in {text}").into())
}
