//! Cases in which a run is ended from outside, and the host is as it was.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "processes live in real time"
)]

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use ridethrough_targets::world::docker;

use super::live::{Live, live};
use super::run::{
    data, exits, folder, holds, output, press_ctrl_c, program, said, start_until, summary,
};

/// Longest that a guardian may take here, with other runs beside it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Any machine can run these.
pub(crate) const CASES: &[Live] = &[
    live("guard::a_stop_ends_a_run_and_needs_no_harness", stop),
    live("guard::a_harness_that_hangs_is_ended", hangs),
    live("guard::without_a_guardian_nothing_goes_on", no_guardian),
    live("guard::a_second_interrupt_leaves_it_to_the_guardian", twice),
    live("guard::too_many_machines_at_once_end_a_run", blast_radius),
    live("guard::a_marked_promise_ends_a_run", marked),
];

/// These change the host, which takes control groups.
pub(crate) const ON_THE_HOST: &[Live] = &[
    live("guard::killed_at_any_step_the_host_is_as_before", any_step),
    live("guard::heal_undoes_what_a_dead_guardian_left", heal),
];

/// A run with a state folder of its own.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Result<Self, String> {
        Ok(Self { folder: folder()? })
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub(crate) fn program(&self, verb: &str) -> Command {
        let mut command = program();
        command.arg(verb).env("RIDETHROUGH_STATE", self.state());
        command
    }

    /// Heals what is here, and nothing that other cases have in an engine: what a
    /// dead run of theirs left there is found by anybody's `heal`.
    fn heal(&self) -> Command {
        let mut command = self.program("heal");
        command.env("DOCKER_HOST", "unix:///nonexistent");
        command
    }

    pub(crate) fn run(&self, playbook: &str) -> Command {
        let mut command = self.program("run");
        command.arg(data(playbook)).arg("--out").arg(self.out());
        command
    }

    /// Waits until neither journal nor guardian is left; returns how long.
    pub(crate) fn quiet(&self) -> Result<Duration, String> {
        let begun = Instant::now();
        while !self.left().is_empty() {
            if begun.elapsed() > PATIENCE {
                return Err(format!("still there: {:?}", self.left()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(begun.elapsed())
    }

    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state()).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect()
    }

    /// The containers whose journal is here. Without an engine there are none.
    pub(crate) fn containers(&self) -> BTreeSet<String> {
        let remains = docker::remains().unwrap_or_default().into_iter();
        let ours = remains.filter(|left| {
            let journal = left.journal.as_deref();
            journal.is_some_and(|journal| journal.starts_with(self.state()))
        });
        ours.flat_map(|left| left.containers).collect()
    }

    /// Nothing of the run is left on the host.
    pub(crate) fn as_before(&self, before: &Host, when: &str) -> Result<(), String> {
        no_process_of(&self.out())?;
        let after = Host::look(self, &run_id(&self.out()));
        let world = self.out().join("ridethrough-world");
        holds(!world.exists(), || {
            format!("{when}: {} is left", world.display())
        })?;
        holds(*before == after, || {
            format!("{when}: {before:#?}\n{after:#?}")
        })
    }

    /// The process of the guardian, which has written it down.
    pub(crate) fn guardian(&self) -> Result<String, String> {
        let guard = self
            .left()
            .into_iter()
            .find(|p| p.extension().is_some_and(|e| e == "guard"));
        let text = std::fs::read_to_string(guard.ok_or("no guardian")?);
        text.map(|text| text.trim().to_string())
            .map_err(|e| e.to_string())
    }
}

pub(crate) fn signal(name: &str, pid: &str) -> Result<(), String> {
    exits(&output(Command::new("kill").arg(name).arg(pid))?, 0)
}

pub(crate) fn killed(mut child: Child) -> Result<(), String> {
    let status = child.wait().map_err(|error| error.to_string())?;
    holds(status.signal() == Some(9), || {
        format!("it ended with {status}")
    })
}

fn stop() -> Result<(), String> {
    let place = Place::new()?;
    let child = start_until(&mut place.run("short.yaml"), "phase")?;
    let stopped = output(&mut place.program("stop"))?;
    exits(&stopped, 0)?;
    holds(said(&stopped).contains("is ended and undone"), || {
        said(&stopped)
    })?;
    killed(child)?;
    place.quiet()?;
    no_process_of(&place.out())?;
    let again = output(&mut place.program("stop"))?;
    holds(said(&again).contains("no run goes on"), || said(&again))
}

/// A stopped harness cannot heal what it broke.
fn hangs() -> Result<(), String> {
    let place = Place::new()?;
    let child = start_until(&mut place.run("short.yaml"), "phase")?;
    signal("-STOP", &child.id().to_string())?;
    killed(child)?;
    place.quiet()?;
    no_process_of(&place.out())
}

fn no_guardian() -> Result<(), String> {
    let place = Place::new()?;
    let mut child = start_until(&mut place.run("short.yaml"), "phase")?;
    signal("-KILL", &place.guardian()?)?;
    let status = child.wait().map_err(|error| error.to_string())?;
    holds(status.code() == Some(3), || format!("{status}"))?;
    let summary = summary(&place.out())?;
    holds(summary["verdict"] == "invalid", || summary.to_string())?;
    let healed = output(&mut place.heal())?;
    exits(&healed, 0)?;
    holds(place.left().is_empty(), || format!("{:?}", place.left()))
}

fn twice() -> Result<(), String> {
    let place = Place::new()?;
    let mut child = start_until(&mut place.run("short.yaml"), "phase")?;
    press_ctrl_c(&child)?;
    // The first one must have been heard for the second to be one.
    std::thread::sleep(Duration::from_millis(50));
    press_ctrl_c(&child)?;
    let status = child.wait().map_err(|error| error.to_string())?;
    holds(status.code() == Some(130), || format!("{status}"))?;
    place.quiet()?;
    no_process_of(&place.out())
}

/// Batteries that are open make the physics take more than was meant.
fn blast_radius() -> Result<(), String> {
    let place = Place::new()?;
    let output = output(&mut place.run("blast.yaml"))?;
    exits(&output, 3)?;
    let text = said(&output);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    holds(text.contains("the blast radius allows 1"), || text)?;
    place.quiet().map(drop)
}

fn marked() -> Result<(), String> {
    let place = Place::new()?;
    let begun = Instant::now();
    let output = output(&mut place.run("marked.yaml"))?;
    exits(&output, 1)?;
    let took = begun.elapsed();
    holds(took < Duration::from_secs(60), || {
        format!("it took {took:?}")
    })?;
    let summary = summary(&place.out())?;
    holds(summary["verdict"] == "fail", || summary.to_string())
}

/// What a run could leave on a host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Host {
    interfaces: BTreeSet<String>,
    routes: String,
    mounts: BTreeSet<String>,
    cgroups: BTreeSet<PathBuf>,
    loops: BTreeSet<String>,
    tables: String,
    containers: BTreeSet<String>,
}

/// What an engine mounts for each of its containers, whoever has started it, is
/// its own: it goes with the container.
const ENGINES: [&str; 2] = ["/docker/", "/containerd/"];

impl Host {
    /// Looks at everything; of control groups, loop devices and containers at
    /// those of the run in this place, since other runs go on beside it.
    pub(crate) fn look(place: &Place, run: &str) -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let names = |path: &str| {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        };
        let mounts = text("/proc/self/mountinfo");
        let loops: BTreeSet<String> = names("/sys/block");
        let backing = |name: &String| text(&format!("/sys/block/{name}/loop/backing_file"));
        let engines = |line: &&str| ENGINES.iter().any(|engine| line.contains(engine));
        let ours = place.out().display().to_string();
        let mut cgroups = BTreeSet::new();
        groups(Path::new("/sys/fs/cgroup"), run, &mut cgroups);
        Self {
            interfaces: names("/sys/class/net"),
            routes: text("/proc/net/route"),
            mounts: mounts
                .lines()
                .filter(|line| !engines(line))
                .map(str::to_string)
                .collect(),
            cgroups,
            loops: loops
                .iter()
                .map(backing)
                .filter(|b| b.contains(&ours))
                .collect(),
            tables: text("/proc/net/ip_tables_names"),
            containers: place.containers(),
        }
    }
}

/// The groups whose names hold the run's.
fn groups(below: &Path, run: &str, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            if !run.is_empty() && entry.file_name().to_string_lossy().contains(run) {
                found.insert(path.clone());
            }
            groups(&path, run, found);
        }
    }
}

/// Every process of a world carries its run folder in its environment.
pub(crate) fn no_process_of(out: &Path) -> Result<(), String> {
    let mark = format!("RIDETHROUGH_RUN={}", out.display());
    let begun = Instant::now();
    loop {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let alive = entries.filter(|entry| {
            let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environ
                .split(|byte| *byte == 0)
                .any(|part| part == mark.as_bytes())
        });
        let alive: Vec<_> = alive.map(|entry| entry.file_name()).collect();
        if alive.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("processes of the run are left: {alive:?}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn any_step() -> Result<(), String> {
    // Two records, their changes and undoings, and the end.
    killed_at_each_step(13, |place| place.run("pressed.yaml"), |ran| exits(ran, 0))
}

/// The harness dies at each step of its journal in turn, until there is a run
/// that has fewer steps.
pub(crate) fn killed_at_each_step(
    least: u32,
    run: impl Fn(&Place) -> Command,
    over: impl Fn(&Output) -> Result<(), String>,
) -> Result<(), String> {
    for step in 1.. {
        let place = Place::new()?;
        let before = Host::look(&place, "");
        let ended = output(run(&place).env("RIDETHROUGH_DIE_AT", step.to_string()))?;
        place.quiet()?;
        place.as_before(&before, &format!("step {step}"))?;
        if ended.status.signal() != Some(9) {
            over(&ended)?;
            return holds(step > least, || format!("only {step} steps were taken"));
        }
    }
    Ok(())
}

fn run_id(out: &Path) -> String {
    let record = std::fs::read_to_string(out.join("record.jsonl")).unwrap_or_default();
    let head: Option<serde_json::Value> = record
        .lines()
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    let run = head.and_then(|head| head["run"].as_str().map(str::to_string));
    run.unwrap_or_default()
}

fn heal() -> Result<(), String> {
    let place = Place::new()?;
    let child = start_until(&mut place.run("pressed.yaml"), "memory_pressure hits")?;
    // A stopped harness does not notice that its guardian is gone.
    signal("-STOP", &child.id().to_string())?;
    signal("-KILL", &place.guardian()?)?;
    signal("-KILL", &child.id().to_string())?;
    killed(child)?;
    no_process_of(&place.out())?;
    let run = run_id(&place.out());
    let left = Host::look(&place, &run).cgroups;
    holds(!left.is_empty(), || "nothing was left to heal".into())?;
    let dry = output(place.heal().arg("--dry-run"))?;
    holds(said(&dry).contains("would take back control group"), || {
        said(&dry)
    })?;
    let warned = output(place.program("run").arg(data("bad.yaml")))?;
    exits(&warned, 2)?;
    let healed = output(&mut place.heal())?;
    exits(&healed, 0)?;
    holds(said(&healed).contains("took back control group"), || {
        said(&healed)
    })?;
    let left = Host::look(&place, &run).cgroups;
    holds(left.is_empty() && place.left().is_empty(), || {
        format!("{left:?}")
    })?;
    let again = output(&mut place.heal())?;
    holds(
        said(&again).contains("no dead run has left anything"),
        || said(&again),
    )
}
