//! A Docker Compose project of others, put on the fabric and back.
//!
//! A binary of its own: these cases change the host's bridges, which others
//! compare.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "engines and networks live in real time"
)]

mod bystander;
mod cases;
mod project;
mod refused;
mod state;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use ridethrough_targets::world::{docker, embedded};

type Case = (&'static str, fn() -> Result<(), String>);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each looks at all of the engine.
    arguments.test_threads = Some(1);
    let missing = missing();
    let cases = cases::CASES.iter().chain(refused::CASES);
    let trial = |(name, body): &Case| {
        let body = *body;
        let trial = Trial::test(*name, move || body().map_err(Failed::from));
        match &missing {
            Some(reason) => trial.with_kind(reason).with_ignored_flag(!strict()),
            None => trial,
        }
    };
    libtest_mimic::run(&arguments, cases.map(trial).collect()).exit_code()
}

/// What this machine lacks for these cases, and how to get it.
fn missing() -> Option<String> {
    if let Err(error) = docker::available() {
        return Some(error.to_string());
    }
    if !embedded::as_root() {
        return Some("not root; run it as root".into());
    }
    let there = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join("docker-compose").is_file())
    });
    if !there {
        return Some("no docker-compose; apt-get install docker-compose".into());
    }
    let busybox = std::path::Path::new(bystander::BUSYBOX).is_file();
    (!busybox).then(|| "no busybox; apt-get install busybox-static".into())
}

/// Under `CI=true` nothing may be passed over.
fn strict() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
