//! What a service of a node is given, and what it may say to the harness.
//!
//! A service is one async function `run(env, config)`. In a virtual world it is
//! a task; elsewhere the same function runs as a process of this binary.

mod home;
mod notice;
mod panel;
mod registry;
mod signal;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::disk::Disk;
use crate::net::Net;

pub use home::{Census, Home, spawn, spawn_in};
pub use notice::Notice;
pub use panel::{Panel, PanelPeer, panel_pair};
pub use registry::{BuiltinFuture, Registry};
pub use signal::{Attempt, AttemptEnd, Draw, FromService, Milestone, ToService};
pub use wire::{ServiceStart, open_panel};

/// Everything a service may touch.
pub struct Env {
    /// The service's name, such as `replica`.
    pub service: String,
    /// The node it runs on, such as `gpu-1`.
    pub node: String,
    /// How often this node has booted before (0 the first time).
    pub boot: u32,
    /// Its network.
    pub net: Arc<dyn Net>,
    /// Its volume, if it has one.
    pub disk: Option<Arc<dyn Disk>>,
    /// The run's clock.
    pub clock: Clock,
    /// Its own seed; every random choice follows from it.
    pub seed: u64,
    /// Its wires to the machine it runs on: power, meters, telemetry.
    pub panel: Panel,
}

/// Why a service ended.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It could not listen or connect.
    #[error("{what}: {source}")]
    Io {
        /// What it was doing, such as `listen on port 8000`.
        what: String,
        /// What the network said.
        source: std::io::Error,
    },
    /// Its configuration cannot be.
    #[error("bad configuration: {0}")]
    Config(String),
}

/// What a service runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// A function of this binary, by name.
    Builtin {
        /// Its name in the registry, such as `gateway`.
        name: String,
        /// Its configuration.
        config: serde_json::Value,
    },
    /// A program of the host.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
        /// Environment beside a minimal one.
        env: Vec<(String, String)>,
        /// Files that it finds, beside those of the host.
        files: Vec<ServiceFile>,
    },
    /// A container. Only world `docker` has them.
    Image {
        /// The image's name; where there is a `build`, the name it is given.
        image: String,
        /// How it is built first.
        build: Option<ImageBuild>,
        /// What it runs in place of the image's own command.
        argv: Option<Vec<String>>,
        /// Environment beside the image's own.
        env: Vec<(String, String)>,
        /// Files that it finds, beside those of the image.
        files: Vec<ServiceFile>,
    },
    /// Somebody else's container, which runs already. Only world `docker` has them.
    Guest {
        /// Its id.
        container: String,
    },
}

/// A file that a service finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFile {
    /// Where, from the root.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// How an image is built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageBuild {
    /// The folder that the build may read.
    pub context: PathBuf,
    /// The recipe, relative to the folder.
    pub dockerfile: Option<PathBuf>,
}
