//! A service: one of ours, a program of this machine, or a container.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::serving::{GatewayConfig, JournalConfig, ReplicaConfig};
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::VolumeSpec;

/// A service: what it is, and the machines it runs on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDef {
    /// Machines, by name.
    pub on: Vec<String>,
    /// The reference gateway.
    #[serde(default)]
    pub gateway: Option<GatewayConfig>,
    /// The reference replica.
    #[serde(default)]
    pub replica: Option<ReplicaConfig>,
    /// A write-ahead journal; needs a `volume`.
    #[serde(default)]
    pub journal: Option<JournalConfig>,
    /// Any program of this machine, with its arguments; beside `image` or `build`,
    /// what the container is given to run in place of its own command.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// A container image, such as `nginx:1.27`; needs `--world docker`.
    #[serde(default)]
    pub image: Option<String>,
    /// An image that is built before the run; needs `--world docker`.
    #[serde(default)]
    pub build: Option<BuildSpec>,
    /// Its environment, with `command`, `image` or `build`. `${ip:NODE}` stands for
    /// the address of a machine, `${cache}` for the user's cache folder; so in
    /// `command` and `files`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, String>,
    /// Files that it finds, by their path, with `command`, `image` or `build`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub files: IndexMap<String, FileSpec>,
    /// The port it serves on, with `command`, `image` or `build`; it is healthy when
    /// this port accepts connections, unless `health` says otherwise.
    #[serde(default)]
    pub port: Option<u16>,
    /// Further ports it listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// How one knows that it can be used, with `command`, `image` or `build`.
    #[serde(default)]
    pub health: Option<HealthSpec>,
    /// What its machine draws while it runs, from idle (0%) to peak (100%): a program
    /// of others does not tell its work.
    #[serde(default)]
    pub draw: Option<PerUnit>,
    /// What this machine must have to run it, with `command`.
    #[serde(default)]
    pub needs: Option<NeedsSpec>,
    /// A volume of its own on each of its machines. It outlives their boots; what
    /// was not flushed does not outlive a cut of their power. A `command` finds it
    /// at the path in `RIDETHROUGH_VOLUME`.
    #[serde(default)]
    pub volume: Option<VolumeSpec>,
    /// It runs already, in containers of a `compose` project; found out when the
    /// run is planned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
}

impl ServiceDef {
    /// Whether it runs something that nobody here wrote.
    pub fn is_foreign(&self) -> bool {
        self.command.is_some() || self.is_container() || self.guest
    }

    /// Whether it is a container.
    pub fn is_container(&self) -> bool {
        self.image.is_some() || self.build.is_some()
    }
}

/// An image to build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildSpec {
    /// The folder that the build may read, relative to this file.
    pub context: String,
    /// The recipe, relative to the folder (default: `Dockerfile`).
    #[serde(default)]
    pub dockerfile: Option<String>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FileSpec {
    /// This text.
    Text(String),
    /// What a file beside this one holds.
    From(String),
}

/// How one knows that a service can be used: one of `http`, `tcp`, `command`,
/// `log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthSpec {
    /// A path on its `port` that answers with a status below 400.
    #[serde(default)]
    pub http: Option<String>,
    /// A port that accepts connections.
    #[serde(default)]
    pub tcp: Option<u16>,
    /// A program that ends with exit code 0 beside it.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// A text that a line of its log holds.
    #[serde(default)]
    pub log: Option<String>,
    /// Time between two looks.
    #[serde(default = "look")]
    pub interval: Span,
    /// How long a look may take.
    #[serde(default = "patience")]
    pub timeout: Span,
}

fn look() -> Span {
    Span::from_millis(200)
}
fn patience() -> Span {
    Span::from_secs(2)
}

/// What a machine must have to run a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedsSpec {
    /// A program, by name or path (default: the command's first word).
    #[serde(default)]
    pub program: Option<String>,
    /// How to get it, as one would type it.
    pub install: String,
}
