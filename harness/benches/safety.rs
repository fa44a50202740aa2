//! How late faults are injected while a load runs, and how long the host stays
//! changed once the harness is dead: `cargo bench -p ridethrough --bench safety`,
//! or with `skew` or `orphans` behind `--`. Needs an embedded world; the second
//! part also control groups with a bound on memory.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "real time is what is measured"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use ridethrough::conduct::{Conduct, conduct};
use ridethrough::judge::percentile;
use ridethrough::plan::plan_source;
use ridethrough::playbook::WorldKind;
use ridethrough_targets::undo::left_behind;
use ridethrough_targets::world::embedded;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;
type Part = fn() -> Result<()>;

/// Runs whose faults are timed.
const ROUNDS: usize = 3;
/// Harnesses that are killed.
const DEATHS: usize = 15;
/// Longest that a guardian may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// 200 requests a second, and 80 faults of the fabric, of machines and of the
/// supply.
const SKEW: &str = "
name: many faults
site: ../sites/two-feed.yaml
stack: ../stacks/reference.yaml
load:
  - {name: chat, arrivals: {poisson: {rate: 200/s}}, output_tokens: 4..12}
phases: {before: 2s, faults: 32s, after: 2s}
faults:
  - {inject: {partition: {link: [clients, gpu-1]}}, during: faults, for: 500ms, every: 1600ms}
  - {inject: {hang: {node: gpu-2}}, during: faults, for: 300ms, every: 1600ms}
  - {inject: {link_down: {node: gpu-3}}, during: faults, for: 500ms, every: 1600ms}
  - {inject: {sag: {to: 40%}}, during: faults, for: 200ms, every: 1600ms}
assert:
  - nodes: {lost_at_most: 0}
";

/// A control group of the host is made, and nobody takes it back.
const PRESSED: &str = "
name: pressed
site: ../sites/two-feed.yaml
stack: ../stacks/reference.yaml
load:
  - {name: chat, arrivals: {constant: {rate: 4/s}}, output_tokens: 10..20}
phases: {before: 300ms, pressed: 60s, after: 1s}
faults:
  - {inject: {memory_pressure: {target: {service: replica}, leave: 64MiB}}, during: pressed}
assert:
  - nodes: {lost_at_most: 0}
";

fn main() -> ExitCode {
    if let Some(code) = embedded::run_child_if_asked(&ridethrough::builtin::builtin) {
        return code;
    }
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|a| a == part);
    let parts: [(&str, Part); 2] = [("skew", skew), ("orphans", orphans)];
    for (name, part) in parts.into_iter().filter(|(name, _)| wants(name)) {
        if let Err(error) = part() {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Where a playbook of these would stand.
fn place(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks/power");
    root.join(name)
}

fn skew() -> Result<()> {
    let path = place("many-faults.yaml");
    for world in [WorldKind::Embedded, WorldKind::Virtual] {
        let mut late = Vec::new();
        for _ in 0..ROUNDS {
            let (_, mut plan) = plan_source(&path, SKEW).map_err(|e| e.render(false))?;
            plan.playbook.world = Some(world);
            let folder = tempfile::tempdir()?;
            let name = folder.path().file_name().unwrap_or_default();
            let how = Conduct {
                world,
                id: name.to_string_lossy().into_owned(),
                out: folder.path().to_path_buf(),
                pcap: false,
                watcher: None,
                stop: CancellationToken::new(),
                repeat: String::new(),
                disarm: None,
                podium: None,
            };
            let runtime = tokio::runtime::Runtime::new()?;
            let outcome = runtime.block_on(conduct(plan, how))?;
            let faults = outcome.summary.faults.iter();
            late.extend(faults.map(|f| f.at_ms.observed - f.at_ms.requested));
        }
        late.sort_by(f64::total_cmp);
        let at = |q| percentile(&late, q).unwrap_or(f64::NAN);
        println!(
            "{world:?}: {} faults beside 200 requests/s, asked to witnessed: \
             p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            late.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

fn orphans() -> Result<()> {
    embedded::bounds_memory()?;
    let folder = tempfile::tempdir()?;
    // Names in a playbook are relative to it.
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks");
    let folders = folders.canonicalize()?;
    let text = PRESSED.replace("../", &format!("{}/", folders.display()));
    let playbook = folder.path().join("pressed.yaml");
    std::fs::write(&playbook, text)?;
    let mut windows = Vec::new();
    for round in 0..DEATHS {
        let state = folder.path().join(format!("state-{round}"));
        let out = folder.path().join(format!("run-{round}"));
        let mut harness = Command::new(env!("CARGO_BIN_EXE_ridethrough"))
            .arg("run")
            .arg(&playbook)
            .arg("--out")
            .arg(&out)
            .env("RIDETHROUGH_STATE", &state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        wait(|| Ok(changes(&state)? == 4))?;
        // All of the change is made, and the run is in full swing.
        std::thread::sleep(Duration::from_millis(300));
        harness.kill()?;
        let killed = Instant::now();
        wait(|| Ok(left_behind(&state)?.is_empty()))?;
        windows.push(killed.elapsed().as_secs_f64() * 1e3);
        harness.wait()?;
    }
    windows.sort_by(f64::total_cmp);
    let at = |q| percentile(&windows, q).unwrap_or(f64::NAN);
    println!(
        "{DEATHS} harnesses killed with three control groups on the host, death to undone: \
         median {:.0} ms, max {:.0} ms",
        at(0.5),
        at(1.0)
    );
    Ok(())
}

/// Changes of the host that are written down.
fn changes(state: &Path) -> Result<usize> {
    let runs = left_behind(state)?;
    let run = runs.first();
    Ok(run
        .map(|run| run.outstanding())
        .transpose()?
        .map_or(0, |all| all.len()))
}

fn wait(done: impl Fn() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !done()? {
        if begun.elapsed() > PATIENCE {
            return Err("it took too long".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
