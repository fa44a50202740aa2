//! Whatever becomes of the harness, nothing stays.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ridethrough_targets::world::World;
use tokio::time::{Instant, sleep, timeout};

use super::mini::{CHURN, HOLD, NOBODY};
use super::nobody::can_be_nobody;
use super::site::{Site, builtin, node, shell, trial};

pub(crate) fn trials() -> Vec<Trial> {
    let nobody = can_be_nobody();
    vec![
        trial("embedded::death::sigkill", || die(24, false)),
        trial("embedded::death::close_and_drop", close_and_drop),
        trial("embedded::death::sigkill_as_nobody", || die(8, true)).with_ignored_flag(!nobody),
    ]
}

/// How long the kernel may take to clear everything away.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// Kills harnesses at random moments of their life: while they start, while
/// nodes come and go, and with every node up.
async fn die(times: u32, as_nobody: bool) -> Result<(), Failed> {
    let mut random = ChaCha8Rng::seed_from_u64(41);
    let mut with_nodes = 0;
    let mut longest = Duration::ZERO;
    for round in 0..times {
        let folder = tempfile::tempdir()?;
        let before = outside()?;
        let verb = if round % 3 == 2 { HOLD } else { CHURN };
        let mut harness = start(folder.path(), verb, as_nobody)?;
        if round % 3 != 0 {
            harness = first_line(harness).await?;
        }
        sleep(Duration::from_millis(random.random_range(0..150))).await;
        let traces = Traces::of(folder.path(), before);
        // A node alone has six.
        with_nodes += u32::from(6 <= traces.namespaces.len());
        harness.kill()?;
        harness.wait()?;
        let took = traces.gone().await;
        longest = longest.max(took.map_err(|left| format!("round {round}: {left}"))?);
    }
    eprintln!("{times} kills, {with_nodes} of them with nodes up; all gone within {longest:?}");
    if with_nodes * 3 < times - 2 {
        return Err(format!("only {with_nodes} of {times} kills met nodes").into());
    }
    Ok(())
}

/// What could be left of a harness.
struct Traces {
    folder: PathBuf,
    namespaces: BTreeSet<String>,
    alive: BTreeSet<String>,
    before: BTreeSet<String>,
}

impl Traces {
    /// Of a harness that still lives; `before` is from before its start.
    fn of(folder: &Path, before: BTreeSet<String>) -> Self {
        let alive = processes().into_iter().collect();
        Self {
            namespaces: namespaces(&tree(folder)),
            folder: folder.to_path_buf(),
            alive,
            before,
        }
    }

    /// Waits until nothing is left; tells how long that took, or what stays.
    async fn gone(&self) -> Result<Duration, String> {
        let dead = Instant::now();
        loop {
            let cannot = |error: Failed| error.message().unwrap_or("cannot look").to_string();
            let left = self.left().map_err(cannot)?;
            if left.is_empty() {
                return Ok(dead.elapsed());
            }
            if GONE_LIMIT < dead.elapsed() {
                let left: Vec<String> = left.iter().map(|left| describe(left)).collect();
                return Err(format!("after {GONE_LIMIT:?} there is still {left:#?}"));
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    fn left(&self) -> Result<Vec<String>, Failed> {
        let mut left: Vec<String> = tree(&self.folder);
        // The kernel gives the numbers of namespaces away again, so only
        // processes from before the death are suspects.
        left.extend(processes().into_iter().filter(|pid| {
            let mut links = links(pid);
            self.alive.contains(pid) && links.any(|link| self.namespaces.contains(&link))
        }));
        left.extend(outside()?.difference(&self.before).cloned());
        left.extend(loops(&self.folder));
        Ok(left)
    }
}

/// What a process is and where in the kernel it waits.
fn describe(left: &str) -> String {
    let read = |name: &str| {
        let bytes = fs::read(format!("/proc/{left}/{name}")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).replace(['\0', '\n'], " ");
        text.chars().take(300).collect::<String>()
    };
    let [stat, command, stack] = ["stat", "cmdline", "stack"].map(read);
    format!("{left}: {command}| {stat}| {stack}")
}

/// A world that is closed, or dropped without a word, leaves nothing either.
async fn close_and_drop() -> Result<(), Failed> {
    for close in [true, false] {
        let before = outside()?;
        let names = ["one", "two"];
        let site = Site::open(&names).await?;
        for name in names {
            let programs = vec![("idle", builtin("idle")), ("sleep", shell("sleep 1000"))];
            site.world.boot(&node(&names, name, programs), 0).await?;
        }
        let folder = site.folder.path().to_path_buf();
        let tree = tree(&folder);
        let traces = Traces::of(&folder, before);
        // The warden, the site's init, and for each node an init and two services.
        assert!(8 <= tree.len(), "{tree:?}");
        if close {
            site.world.close().await?;
            assert_eq!(self::tree(&folder), Vec::<String>::new());
            assert!(!folder.join("ridethrough-world").exists());
        }
        drop(site);
        traces.gone().await?;
    }
    Ok(())
}

fn start(folder: &Path, verb: &str, as_nobody: bool) -> Result<Child, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    if as_nobody {
        command.arg(NOBODY).arg(folder).arg(verb);
    } else {
        command.arg(verb).arg(folder);
    }
    command.stdout(Stdio::piped());
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

/// Every live process, by the name of its folder. The dead that only wait for
/// the machine's init to collect them hold nothing any more.
fn processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| !matches!(state(pid), None | Some('Z' | 'X')))
        .collect()
}

/// The state letter of a process.
fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.trim_start().chars().next()
}

/// Every live process of a harness, itself included: the run's folder is in its
/// arguments or its environment.
fn tree(folder: &Path) -> Vec<String> {
    let mark = folder.to_string_lossy();
    let marked = |path: String| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(mark.as_ref())
    };
    let mut tree = processes();
    tree.retain(|pid| {
        marked(format!("/proc/{pid}/cmdline")) || marked(format!("/proc/{pid}/environ"))
    });
    tree
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

/// What a node has of its own that could have come to be outside of it.
const MOUNT_POINTS: [&str; 4] = [
    "/etc/hosts",
    "/etc/resolv.conf",
    "/proc",
    "/proc/sys/kernel/random/boot_id",
];

/// Loop devices with a file of a harness behind them.
fn loops(folder: &Path) -> Vec<String> {
    let blocks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    blocks
        .filter_map(|block| {
            let file = fs::read_to_string(block.path().join("loop/backing_file")).ok()?;
            let name = block.file_name();
            let ours = Path::new(file.trim_end()).starts_with(folder);
            ours.then(|| format!("loop device {}: {file}", name.to_string_lossy()))
        })
        .collect()
}

/// TAP devices, and mounts of the kind that nodes have, as this process sees
/// them. Others may come and go while a test runs.
fn outside() -> Result<BTreeSet<String>, Failed> {
    let mut seen = BTreeSet::new();
    for device in fs::read_dir("/sys/class/net")? {
        let device = device?;
        if device.path().join("tun_flags").exists() {
            seen.insert(format!("device {}", device.file_name().to_string_lossy()));
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let ours = mounts.lines().filter(|line| {
        let point = line.split(' ').nth(4).unwrap_or_default();
        MOUNT_POINTS.contains(&point) || line.contains("/embedded/")
    });
    seen.extend(ours.map(|line| format!("mount {line}")));
    Ok(seen)
}
