//! World `docker`: what is told where it cannot be had, and what runs leave in
//! the engine when they are killed.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "engines live in real time"
)]

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::guard::{Host, Place, killed, killed_at_each_step, signal};
use super::live::{Live, live};
use super::run::{data, exits, folder, holds, output, program, said, start_until, summary};

/// These need no engine, or its absence.
pub(crate) const WITHOUT_ENGINE: &[Live] = &[
    live("docker::no_engine_is_told", no_engine),
    live("docker::an_engine_elsewhere_is_told", elsewhere),
    live("docker::what_a_world_cannot_run_is_told", wrong_world),
    live("docker::heal_needs_no_engine", heal_without),
];

/// These become another user.
pub(crate) const AS_NOBODY: &[Live] = &[live("docker::no_permission_is_told", no_permission)];

pub(crate) const WITH_ENGINE: &[Live] = &[
    live("docker::killed_at_any_step_nothing_is_left", any_step),
    live("docker::killed_in_the_middle_nothing_is_left", middle),
    live("docker::heal_finds_containers_by_journal", by_journal),
    live("docker::heal_finds_containers_by_label", by_label),
    live("docker::an_image_that_is_nowhere_is_told", no_image),
    live("docker::a_build_that_fails_is_told", no_build),
    live("docker::a_run_in_containers_is_a_run", whole),
    Live {
        name: "docker::images_are_services",
        body: images,
        needs: &[("busybox", "busybox-static")],
    },
];

/// A static program, which needs nothing beside it in an image.
pub(crate) const BUSYBOX: &str = "/bin/busybox";

const NOBODY: u32 = 65534;

/// Where engines listen.
const SOCKET: &str = "/var/run/docker.sock";

impl Place {
    fn in_docker(&self, playbook: &str) -> Command {
        let mut command = self.run(playbook);
        command.args(["--world", "docker"]);
        command
    }

    /// A run that cannot be: its exit code, and that it left nothing.
    fn refused(&self, command: &mut Command, code: i32) -> Result<String, String> {
        let before = Host::look(self, "");
        let refused = output(command)?;
        exits(&refused, code)?;
        self.as_before(&before, "refused")?;
        holds(self.left().is_empty(), || format!("{:?}", self.left()))?;
        holds(!self.out().exists(), || "a run folder is left".into())?;
        Ok(told(&refused))
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_string()
}

/// What was said, all of it.
fn is(text: &str, wanted: &str) -> Result<(), String> {
    holds(text == wanted, || {
        format!("{text}\n\ninstead of\n\n{wanted}")
    })
}

fn no_engine() -> Result<(), String> {
    let place = Place::new()?;
    let mut command = place.in_docker("short.yaml");
    command.env("DOCKER_HOST", "unix:///nonexistent");
    let text = place.refused(&mut command, 4)?;
    is(
        &text,
        "error: no Docker engine: /nonexistent is not there; install and start one \
         (`apt-get install docker.io`, `dockerd`), set DOCKER_HOST, or use `--world embedded`",
    )
}

fn elsewhere() -> Result<(), String> {
    let place = Place::new()?;
    let mut command = place.in_docker("short.yaml");
    command.env("DOCKER_HOST", "tcp://192.0.2.1:2375");
    let text = place.refused(&mut command, 4)?;
    is(
        &text,
        "error: DOCKER_HOST is tcp://192.0.2.1:2375: nodes must be on this machine; unset \
         DOCKER_HOST, or run ridethrough where that engine runs",
    )
}

/// Programs of this machine in containers, and images outside of them.
fn wrong_world() -> Result<(), String> {
    let place = Place::new()?;
    let text = place.refused(&mut place.in_docker("deaf.yaml"), 2)?;
    let words = [
        "service `silent` is a program of this machine",
        "not in a container",
        "give it an `image:`, or run it with `--world embedded`",
        "deaf.yaml:12:",
    ];
    for word in words {
        holds(text.contains(word), || format!("no {word:?} in:\n{text}"))?;
    }
    for world in ["embedded", "virtual"] {
        let mut command = place.run("nowhere.yaml");
        let text = place.refused(command.args(["--world", world]), 2)?;
        let word = "service `web` is an image; run it with `--world docker`";
        holds(text.contains(word), || format!("no {word:?} in:\n{text}"))?;
    }
    Ok(())
}

fn heal_without() -> Result<(), String> {
    let place = Place::new()?;
    let mut command = place.program("heal");
    let healed = output(command.env("DOCKER_HOST", "unix:///nonexistent"))?;
    exits(&healed, 0)?;
    holds(
        said(&healed).contains("no dead run has left anything"),
        || said(&healed),
    )
}

/// An engine that belongs to somebody else.
fn no_permission() -> Result<(), String> {
    let error = |error: std::io::Error| error.to_string();
    let folder = folder()?;
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(error)
    };
    mode(folder.path(), 0o777)?;
    let socket = folder.path().join("engine.sock");
    let _listener = UnixListener::bind(&socket).map_err(error)?;
    mode(&socket, 0o600)?;
    // Neither program nor playbook need be where everybody may read.
    let own = folder.path().join("ridethrough");
    std::fs::copy(program().get_program(), &own).map_err(error)?;
    mode(&own, 0o755)?;
    let playbook = folder.path().join("plain.yaml");
    std::fs::copy(data("plain.yaml"), &playbook).map_err(error)?;
    mode(&playbook, 0o644)?;
    let mut command = Command::new(own);
    command
        .arg("run")
        .arg(playbook)
        .args(["--world", "docker"])
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .env("RIDETHROUGH_STATE", folder.path().join("state"))
        .env("NO_COLOR", "1")
        .current_dir(folder.path())
        .uid(NOBODY)
        .gid(NOBODY);
    let refused = output(&mut command)?;
    exits(&refused, 4)?;
    let place = socket.display();
    is(
        &told(&refused),
        &format!(
            "error: this user may not use the Docker engine at {place}; run as root or \
             join the group `docker`, or use `--world embedded`"
        ),
    )?;
    holds(!folder.path().join("runs").exists(), || {
        "a run folder is left".into()
    })
}

fn any_step() -> Result<(), String> {
    // Folder and containers: each recorded, made, taken back; and the end.
    killed_at_each_step(8, |place| place.in_docker("plain.yaml"), over)
}

/// While its containers run.
fn middle() -> Result<(), String> {
    let place = Place::new()?;
    let before = Host::look(&place, "");
    let child = start_until(&mut place.in_docker("plain.yaml"), "phase")?;
    let there = place.containers();
    holds(there.len() >= 4, || format!("only {there:?} were there"))?;
    signal("-KILL", &child.id().to_string())?;
    killed(child)?;
    place.quiet()?;
    place.as_before(&before, "in the middle")
}

/// A run of which nothing is left alive but a container: its engine has stopped
/// it, so that its init does not see that the harness is gone.
fn abandoned(place: &Place) -> Result<String, String> {
    let child = start_until(&mut place.in_docker("plain.yaml"), "phase")?;
    let there = place.containers();
    let name = there.first().ok_or("no container")?;
    pause(name)?;
    // A stopped harness does not notice that its guardian is gone.
    signal("-STOP", &child.id().to_string())?;
    signal("-KILL", &place.guardian()?)?;
    signal("-KILL", &child.id().to_string())?;
    killed(child)?;
    // The engine removes the others by itself.
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while place.containers().len() > 1 && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    let left = place.containers();
    holds(left.iter().eq([name]), || format!("left: {left:?}"))?;
    Ok(name.clone())
}

/// A container that is being born cannot be stopped; it is asked again.
fn pause(name: &str) -> Result<(), String> {
    let mut asked = Ok(());
    for _ in 0..20 {
        asked = ask_engine("POST", &format!("/containers/{name}/pause"));
        if asked.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    asked
}

fn ask_engine(method: &str, path: &str) -> Result<(), String> {
    let error = |error: std::io::Error| error.to_string();
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let socket = host.strip_prefix("unix://").unwrap_or(SOCKET);
    let mut stream = UnixStream::connect(socket).map_err(error)?;
    let asked = format!("{method} /v1.41{path} HTTP/1.0\r\nHost: engine\r\n\r\n");
    stream.write_all(asked.as_bytes()).map_err(error)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(error)?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    holds(status.starts_with('2'), || format!("{path}: {answer}"))
}

/// Whoever leaves something behind for a `heal` in the engine: the other one's would
/// find it.
static ORPHANS: Mutex<()> = Mutex::new(());

fn by_journal() -> Result<(), String> {
    let _alone = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    let place = Place::new()?;
    let before = Host::look(&place, "");
    abandoned(&place)?;
    let dry = output(place.program("heal").arg("--dry-run"))?;
    holds(
        said(&dry).contains("would take back containers of run"),
        || said(&dry),
    )?;
    holds(place.containers().len() == 1, || "it was not dry".into())?;
    let healed = output(&mut place.program("heal"))?;
    exits(&healed, 0)?;
    holds(
        said(&healed).contains("took back containers of run"),
        || said(&healed),
    )?;
    place.as_before(&before, "healed")
}

/// The state folder is lost, as on a new disk.
fn by_label() -> Result<(), String> {
    let _alone = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    let place = Place::new()?;
    let name = abandoned(&place)?;
    std::fs::remove_dir_all(place.state()).map_err(|error| error.to_string())?;
    let dry = output(place.program("heal").arg("--dry-run"))?;
    let line = format!("would remove containers {name}");
    holds(said(&dry).contains(&line), || said(&dry))?;
    holds(place.containers().len() == 1, || "it was not dry".into())?;
    let healed = output(&mut place.program("heal"))?;
    exits(&healed, 0)?;
    let line = format!("removed containers {name}");
    holds(said(&healed).contains(&line), || said(&healed))?;
    let left = place.containers();
    holds(left.is_empty(), || format!("left: {left:?}"))
}

fn no_image() -> Result<(), String> {
    let place = Place::new()?;
    let text = place.refused(&mut place.in_docker("nowhere.yaml"), 4)?;
    let words = [
        "pulling image localhost:1/ridethrough-test/nowhere",
        "image localhost:1/ridethrough-test/nowhere is not here, and pulling it failed: ",
        "; pull or build it by hand, or mend the name in the stack",
    ];
    for word in words {
        holds(text.contains(word), || format!("no {word:?} in:\n{text}"))?;
    }
    Ok(())
}

/// Its recipe copies a file that is not there.
fn no_build() -> Result<(), String> {
    let place = Place::new()?;
    let text = place.refused(&mut place.in_docker("unbuilt.yaml"), 4)?;
    let words = [
        "building image ridethrough/unbuilt/web in ",
        "error: image ridethrough/unbuilt/web does not build: ",
        "nothing-of-this-name",
    ];
    for word in words {
        holds(text.contains(word), || format!("no {word:?} in:\n{text}"))?;
    }
    Ok(())
}

/// A run that went as it should.
fn over(ran: &Output) -> Result<(), String> {
    exits(ran, 0)
}

fn whole() -> Result<(), String> {
    let place = Place::new()?;
    let before = Host::look(&place, "");
    over(&output(&mut place.in_docker("plain.yaml"))?)?;
    place.as_before(&before, "over")?;
    let summary = summary(&place.out())?;
    holds(summary["world"] == "docker", || summary.to_string())?;
    let completed = summary["requests"]["completed"].as_u64();
    holds(completed.is_some_and(|count| count >= 3), || {
        summary.to_string()
    })
}

/// A stack with an image, built here, whose four services are looked at in four
/// ways; and one of its machines loses power and comes back.
fn images() -> Result<(), String> {
    let error = |error: std::io::Error| error.to_string();
    let place = Place::new()?;
    let before = Host::look(&place, "");
    let folder = folder()?;
    let context = folder.path().join("context");
    std::fs::create_dir(&context).map_err(error)?;
    std::fs::copy(BUSYBOX, context.join("busybox")).map_err(error)?;
    let recipe = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n";
    std::fs::write(context.join("Dockerfile"), recipe).map_err(error)?;
    let playbook = folder.path().join("images.yaml");
    std::fs::copy(data("images.yaml"), &playbook).map_err(error)?;
    let mut command = place.program("run");
    command.arg(playbook).args(["--world", "docker", "--out"]);
    over(&output(command.arg(place.out()))?)?;
    place.as_before(&before, "over")?;
    let log = |node: &str| {
        let path = place.out().join(format!("logs/{node}.log"));
        std::fs::read_to_string(path).map_err(error)
    };
    let read = log("web-2")?;
    // Once each boot, with the text that its stand-in was filled into.
    let times = |text: &str| read.matches(text).count();
    holds(times("served from 10.") == 2, || read.clone())?;
    holds(times("reader has read") == 2, || read.clone())
}
