//! Whatever becomes of the harness, nothing stays.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep, timeout};

use crate::mini::{CHURN, NOBODY, ONCE};
use crate::site::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let root = nix::unistd::geteuid().is_root();
    vec![
        trial("embedded::death::sigkill", || die(24, false)),
        // Without root, every other trial is this one.
        trial("embedded::death::sigkill_as_nobody", || die(8, true)).with_ignored_flag(!root),
        trial("embedded::unprivileged", unprivileged).with_ignored_flag(!root),
    ]
}

/// How long the kernel may take to clear everything away.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// Kills harnesses at random moments of their life.
async fn die(times: u32, as_nobody: bool) -> Result<(), Failed> {
    let mut random = ChaCha8Rng::seed_from_u64(41);
    let mut with_nodes = 0;
    let mut longest = Duration::ZERO;
    for round in 0..times {
        let folder = tempfile::tempdir()?;
        let before = outside()?;
        let mut harness = start(folder.path(), CHURN, as_nobody)?;
        // Half of them die while they start, half once nodes have been up.
        if round % 2 == 1 {
            harness = first_line(harness).await?;
        }
        sleep(Duration::from_millis(random.random_range(0..150))).await;
        let tree = tree(harness.id());
        let namespaces = namespaces(&tree);
        with_nodes += u32::from(6 <= namespaces.len());
        harness.kill()?;
        harness.wait()?;
        let killed = Instant::now();
        let limit = killed + GONE_LIMIT;
        loop {
            let left = left(harness.id(), &namespaces, &before, folder.path())?;
            if left.is_empty() {
                break;
            }
            if limit < Instant::now() {
                return Err(format!("round {round}: 10 s later, left: {left:?}").into());
            }
            sleep(Duration::from_millis(2)).await;
        }
        longest = longest.max(killed.elapsed());
    }
    eprintln!("{times} kills, {with_nodes} of them with nodes up; all gone within {longest:?}");
    if with_nodes * 3 < times {
        return Err(format!("only {with_nodes} of {times} kills met nodes").into());
    }
    Ok(())
}

async fn unprivileged() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let child = start(folder.path(), ONCE, true)?;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    eprintln!("{text}");
    assert!(output.status.success() && text.contains("uid 65534") && text.contains("done"));
    Ok(())
}

fn start(folder: &std::path::Path, verb: &str, as_nobody: bool) -> Result<Child, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    if as_nobody {
        command.arg(NOBODY).arg(folder).arg(verb);
    } else {
        command.arg(verb).arg(folder);
    }
    // Its descendants are told by their group, which namespaces do not change.
    command.process_group(0).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

/// Waits until the harness has had its nodes up once.
async fn first_line(mut harness: Child) -> Result<Child, Failed> {
    let stdout = harness.stdout.take().ok_or("no standard output")?;
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        let mut reader = BufReader::new(stdout);
        let read = reader.read_line(&mut line);
        // Held open, so that the harness can go on printing.
        harness.stdout = Some(reader.into_inner());
        read.map(|_| (harness, line))
    });
    let (harness, line) = timeout(Duration::from_secs(20), read).await???;
    if line.trim() == "up" {
        Ok(harness)
    } else {
        Err(format!("the harness said {line:?}").into())
    }
}

/// Every process of a harness, itself included.
fn tree(group: u32) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // After the name: state, parent, group.
            let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
            rest.split_whitespace().nth(2) == Some(group.to_string().as_str())
        })
        .collect()
}

const KINDS: [&str; 7] = ["net", "pid", "mnt", "uts", "ipc", "time", "user"];

fn links(pid: &str) -> impl Iterator<Item = String> {
    KINDS.iter().filter_map(move |kind| {
        let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
        Some(link.to_string_lossy().into_owned())
    })
}

/// The namespaces of these processes that are not this one's.
fn namespaces(pids: &[String]) -> BTreeSet<String> {
    let own: BTreeSet<String> = links("self").collect();
    let all = pids.iter().flat_map(|pid| links(pid));
    all.filter(|link| !own.contains(link)).collect()
}

/// Network devices and mounts, as this process sees them.
fn outside() -> Result<BTreeSet<String>, Failed> {
    let mut seen = BTreeSet::new();
    for device in fs::read_dir("/sys/class/net")? {
        seen.insert(format!("device {}", device?.file_name().to_string_lossy()));
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    seen.extend(mounts.lines().map(|line| format!("mount {line}")));
    Ok(seen)
}

/// What is still there of a harness that is dead.
fn left(
    group: u32,
    namespaces: &BTreeSet<String>,
    before: &BTreeSet<String>,
    folder: &std::path::Path,
) -> Result<Vec<String>, Failed> {
    let mut left: Vec<String> = tree(group);
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let ours = folder.to_string_lossy();
        if name.bytes().all(|byte| byte.is_ascii_digit())
            && (String::from_utf8_lossy(&command).contains(ours.as_ref())
                || links(&name).any(|link| namespaces.contains(&link)))
        {
            left.push(format!("process {name}"));
        }
    }
    left.extend(outside()?.difference(before).cloned());
    Ok(left)
}
