//! A project through runs, and after.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::Case;
use super::bystander::Bystander;
use super::project::{Project, engine, output, program};
use super::state::State;

pub(crate) const CASES: &[Case] = &[
    (
        "attach::a_rack_loses_its_power_and_all_is_put_back",
        power_loss,
    ),
    ("attach::hang_partition_and_delay_are_put_back", no_reboot),
    ("attach::killed_in_mid_fault_all_is_put_back", killed),
    (
        "attach::a_container_started_in_mid_fault_is_told",
        restarted,
    ),
];

/// Longest that a guardian and an engine may take together.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(project: &Project, playbook: &Path) -> Result<serde_json::Value, String> {
    let ended = output(&mut project.run(playbook))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let summary = std::fs::read_to_string(project.out().join("summary.json"));
    let summary = summary.map_err(|error| format!("{error}: {}", text(&ended.stderr)))?;
    if ended.status.code() != Some(0) {
        return Err(format!("{}\n{}", text(&ended.stdout), text(&ended.stderr)));
    }
    serde_json::from_str(&summary).map_err(|error| error.to_string())
}

fn power_loss() -> Result<(), String> {
    let project = Project::up("power", "")?;
    project.serves()?;
    let bystander = Bystander::on(&project)?;
    let before = State::of(&project)?;
    // Both replicas' racks: one that the engine would start again, and one not.
    let playbook = project.playbook(
        "phases: {baseline: 2s, first: 4s, between: 4s, second: 4s, recovery: 4s}\nfaults:\n  - \
         inject: {power_loss: {rack: r2}}\n    during: first\n  - inject: {power_loss: {rack: \
         r3}}\n    during: second\nassert:\n  - continuity: {lost: 0, torn: 0}\n  - nodes: \
         {lost_at_least: 2, lost_at_most: 2}\n",
    )?;
    let summary = run(&project, &playbook)?;
    let now = State::of(&project)?;
    before.is_but_for(&now, &["gpu-1", "gpu-2"])?;
    for service in ["gpu-1", "gpu-2"] {
        let (before, now) = (&before.containers[service], &now.containers[service]);
        if before.pid == now.pid {
            return Err(format!("the power of {service} was never cut: {summary}"));
        }
    }
    project.serves()?;
    let seen = bystander.seen()?;
    match seen.sent > 1_000 && seen.back == seen.sent {
        true => Ok(()),
        false => Err(format!("a bystander lost packets: {seen:?}")),
    }
}

fn no_reboot() -> Result<(), String> {
    let project = Project::up("calm", "")?;
    project.serves()?;
    let before = State::of(&project)?;
    let playbook = project.playbook(
        "phases: {baseline: 2s, hang: 3s, a: 2s, cut: 3s, b: 2s, slow: 3s, recovery: 3s}\nfaults:\n  \
         - inject: {hang: {node: gpu-1}}\n    during: hang\n  - inject: {partition: {link: \
         [gateway, gpu-2]}}\n    during: cut\n  - inject: {latency: {link: [clients, gateway], \
         delay: 100ms}}\n    during: slow\nassert:\n  - continuity: {lost: 0, torn: 0}\n  - nodes: \
         {lost_at_most: 0}\n",
    )?;
    let summary = run(&project, &playbook)?;
    let faults = summary["faults"].as_array().ok_or("no faults")?;
    if faults.len() != 3 || faults.iter().any(|fault| fault["effective"] != true) {
        return Err(format!("{faults:#?}"));
    }
    // Not one process was started anew.
    before.is_but_for(&State::of(&project)?, &[])
}

/// Starts a run and waits until it says a word.
fn start(project: &Project, playbook: &Path, word: &str) -> Result<Child, String> {
    let log = project.folder.path().join("stderr");
    let file = std::fs::File::create(&log).map_err(|error| error.to_string())?;
    let mut command = project.run(playbook);
    let command = command.stdout(Stdio::null()).stderr(file);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let begun = Instant::now();
    loop {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if said.contains(word) {
            return Ok(child);
        }
        let over = child
            .try_wait()
            .map_err(|error| error.to_string())?
            .is_some();
        if over || begun.elapsed() > PATIENCE {
            let _ = child.kill();
            return Err(format!("it never said {word:?}: {said}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

const DARK: &str = "phases: {baseline: 2s, dark: 20s, recovery: 2s}\nfaults:\n  - inject: \
                    {power_loss: {rack: r2}}\n    during: dark\n  - inject: {hang: {node: \
                    gpu-2}}\n    during: dark\nassert:\n  - nodes: {lost_at_most: 1}\n";

fn killed() -> Result<(), String> {
    let project = Project::up("killed", "")?;
    project.serves()?;
    let before = State::of(&project)?;
    let playbook = project.playbook(DARK)?;
    let mut child = start(&project, &playbook, "lost power")?;
    child.kill().map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.signal() != Some(9) {
        return Err(format!("it ended with {status}"));
    }
    let begun = Instant::now();
    loop {
        let now = State::of(&project)?;
        match before.is_but_for(&now, &["gpu-1"]) {
            Ok(()) => break,
            Err(error) if begun.elapsed() > PATIENCE => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    project.serves()?;
    let mut heal = program();
    let healed = output(
        heal.arg("heal")
            .env("RIDETHROUGH_STATE", project.folder.path().join("state")),
    )?;
    match healed.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&healed.stderr).into_owned()),
    }
}

fn restarted() -> Result<(), String> {
    let project = Project::up("again", "")?;
    project.serves()?;
    let before = State::of(&project)?;
    let rest = DARK
        .replace("20s", "4s")
        .replace("  - inject: {hang: {node: gpu-2}}\n    during: dark\n", "");
    let playbook = project.playbook(&rest)?;
    let mut child = start(&project, &playbook, "lost power")?;
    engine(&["start", &project.container("gpu-1")])?;
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.code() != Some(3) {
        return Err(format!("it ended with {status}"));
    }
    let said = std::fs::read_to_string(project.folder.path().join("stderr")).unwrap_or_default();
    if !said.contains("somebody has started it while its power was off") {
        return Err(said);
    }
    before.is_but_for(&State::of(&project)?, &["gpu-1"])
}
