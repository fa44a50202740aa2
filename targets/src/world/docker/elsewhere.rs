//! The docker world where there is no Linux: it is not to be had, and says so.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::service::Program;

use super::embedded::EmbeddedConfig;
use super::{World, WorldError};

/// Carried by everything that is made in an engine.
pub const LABEL: &str = "ridethrough";

/// The containers of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The run.
    pub run: String,
    /// Its journal.
    pub journal: Option<PathBuf>,
    /// Where their engine listens.
    pub engine: PathBuf,
    /// The names of its containers.
    pub containers: Vec<String>,
}

/// Whether a docker world can be opened here.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn available() -> Result<(), WorldError> {
    Err(no_linux())
}

/// Makes no image.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn image_of(_: &Path) -> Result<String, WorldError> {
    Err(no_linux())
}

/// Opens no world.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub async fn open(_: EmbeddedConfig) -> Result<Arc<dyn World>, WorldError> {
    Err(no_linux())
}

/// Says how far it is.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Fetches nothing.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub async fn fetch(_: impl IntoIterator<Item = &Program>, _: Tell<'_>) -> Result<(), WorldError> {
    Err(no_linux())
}

/// Nothing was ever made here.
///
/// # Errors
/// None.
pub fn remains() -> Result<Vec<Remains>, WorldError> {
    Ok(Vec::new())
}

/// Removes nothing.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn remove_run(_: &Path, _: &str) -> Result<usize, WorldError> {
    Err(no_linux())
}

fn no_linux() -> WorldError {
    WorldError::Missing {
        what: "world `docker` needs Linux".into(),
        remedy: "world `virtual` works here".into(),
    }
}

/// What brings a container back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revival {
    /// It was killed.
    Start,
    /// It was paused.
    Unpause,
}

/// Brings nothing back.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn revive(_: &Path, _: &str, _: Revival) -> Result<bool, WorldError> {
    Err(no_linux())
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its containers.
    pub members: Vec<Member>,
    /// Its networks.
    pub networks: BTreeMap<String, Network>,
}

/// A container of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name in a playbook.
    pub node: String,
    /// Its service.
    pub service: String,
    /// Its id.
    pub container: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Ports that it says it listens on.
    pub ports: Vec<u16>,
    /// Its cables.
    pub interfaces: Vec<Interface>,
    /// The engine starts it again when it ends by itself.
    pub restarts: bool,
    /// Its first process.
    pub pid: i32,
}

/// One cable of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The network.
    pub network: String,
    /// The container's address there.
    pub ip: Ipv4Addr,
    /// Its hardware address there.
    pub mac: [u8; 6],
}

/// A network of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its bridge.
    pub bridge: String,
    /// The first address of its subnet.
    pub first: Ipv4Addr,
    /// The length of its prefix.
    pub prefix: u8,
    /// Addresses of containers on it.
    pub taken: Vec<Ipv4Addr>,
}

/// Finds none.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn project(_: &str) -> Result<Project, WorldError> {
    Err(no_linux())
}

/// Opens no world.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub async fn open_attached(
    _: EmbeddedConfig,
    _: &str,
    _: &str,
) -> Result<Arc<dyn World>, WorldError> {
    Err(no_linux())
}
