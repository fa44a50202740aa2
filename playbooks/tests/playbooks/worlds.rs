//! Which cases run in which worlds, and what this machine lacks for that.

use libtest_mimic::{Failed, Trial};

use ridethrough_targets::world::{WorldError, docker, embedded};

use crate::strict;

/// Playbooks that run in world `docker` unless it is asked for all: power, a
/// machine, the network, a volume. What a node is there is what it is in
/// `embedded`, so that these are enough to see the difference; and of one of them
/// the controls.
const IN_DOCKER: [&str; 5] = [
    "power::utility-outage",
    "power::rack-loss",
    "node::hang",
    "network::partition-on-battery",
    "storage::forgotten-flush",
];
const WITH_CONTROLS: &str = "power::rack-loss";

/// Kinds of fault that do: what engines do in another way than we.
pub(crate) const KINDS_IN_DOCKER: [&str; 1] = ["memory_pressure"];

/// The worlds that every case runs in, beyond what it must.
#[derive(Clone, Copy)]
pub(crate) struct Worlds {
    pub(crate) simulated: bool,
    /// `None`: those that are live.
    pub(crate) embedded: Option<bool>,
    /// `None`: a chosen few.
    pub(crate) docker: Option<bool>,
}

impl Worlds {
    pub(crate) fn asked() -> Result<Self, String> {
        let Ok(asked) = std::env::var("RIDETHROUGH_WORLDS") else {
            return Ok(Self {
                simulated: true,
                embedded: None,
                docker: None,
            });
        };
        let names: Vec<&str> = asked.split(',').map(str::trim).collect();
        let known = ["virtual", "embedded", "docker"];
        match names.iter().find(|name| !known.contains(name)) {
            Some(name) => Err(format!(
                "RIDETHROUGH_WORLDS names world {name:?}; there are {}",
                known.join(", ")
            )),
            None => Ok(Self {
                simulated: names.contains(&"virtual"),
                embedded: Some(names.contains(&"embedded")),
                docker: Some(names.contains(&"docker")),
            }),
        }
    }

    /// How many of a playbook's cases run in world `docker`, itself first.
    pub(crate) fn in_docker(self, place: &str) -> usize {
        match self.docker {
            Some(true) => usize::MAX,
            Some(false) => 0,
            None if place == WITH_CONTROLS => usize::MAX,
            None => usize::from(IN_DOCKER.contains(&place)),
        }
    }
}

/// What this machine lacks, by world, with the way to get it.
pub(crate) struct Missing {
    pub(crate) embedded: Option<String>,
    /// What it lacks to bound the memory of a machine.
    pub(crate) bounds: Option<String>,
    pub(crate) docker: Option<String>,
}

impl Missing {
    pub(crate) fn found() -> Self {
        let lack = |of: Result<(), WorldError>| of.err().map(|error| error.to_string());
        let embedded = lack(embedded::available());
        Self {
            bounds: embedded.clone().or_else(|| lack(embedded::bounds_memory())),
            embedded,
            docker: lack(docker::available()),
        }
    }

    /// Says what is missing, as cases of their own.
    pub(crate) fn trials(self, worlds: Worlds) -> Vec<Trial> {
        let embedded = (worlds.embedded != Some(false))
            .then_some(self.embedded)
            .flatten();
        let docker = (worlds.docker != Some(false))
            .then_some(self.docker)
            .flatten();
        [("embedded", embedded), ("docker", docker)]
            .map(|(world, missing)| {
                let name = format!("environment::{world}");
                Trial::test(name, move || match missing {
                    Some(reason) if strict() => Err(Failed::from(reason)),
                    Some(reason) => {
                        eprintln!("not everything is run in world `{world}`: {reason}");
                        Ok(())
                    }
                    None => Ok(()),
                })
            })
            .into()
    }
}
