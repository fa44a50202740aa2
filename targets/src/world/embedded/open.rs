//! Opening an embedded world.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use nix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::fabric::{Switch, SwitchConfig};
use crate::undo::Undo;
use crate::world::{NodeSpec, RESOLVER_ATTEMPTS, RESOLVER_TIMEOUT, World, WorldError};

use super::config::EmbeddedConfig;
use super::ground::{Ground, Site};
use super::message::{FromSite, SiteOrder};
use super::probe::{self, Means};
use super::volume::Volumes;
use super::warden::Warden;
use super::world::EmbeddedWorld;

/// The world's own folder in the run folder, while the world is open: what nodes
/// see as files of their own, and the images of volumes.
pub(super) const FOLDER: &str = "ridethrough-world";

/// How long the site may take to stand.
const SITE_LIMIT: Duration = Duration::from_secs(10);

/// What every node's resolver is told: the node's own init answers there.
fn resolv_text() -> String {
    let timeout_s = RESOLVER_TIMEOUT.micros() / 1_000_000;
    format!("nameserver 127.0.0.1\noptions timeout:{timeout_s} attempts:{RESOLVER_ATTEMPTS}\n")
}

/// Turns an I/O error into a world's.
pub(in crate::world) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> WorldError {
    let what = what.into();
    move |source| WorldError::System { what, source }
}

/// The host's monotonic clock in nanoseconds.
pub(super) fn monotonic_ns() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec() * 1_000_000_000 + now.tv_nsec())
}

/// Opens a world without nodes, as [`EmbeddedWorld::open`] does.
///
/// # Errors
/// As there.
pub async fn open(config: EmbeddedConfig) -> Result<Arc<dyn World>, WorldError> {
    Ok(Arc::new(EmbeddedWorld::open(config).await?))
}

impl EmbeddedWorld {
    /// Opens a world without nodes.
    ///
    /// # Errors
    /// [`WorldError::Missing`] when the machine lacks namespaces or TAP
    /// devices, with the way to get them; [`WorldError::System`] when a file,
    /// process or the switch cannot be made.
    pub async fn open(config: EmbeddedConfig) -> Result<Self, WorldError> {
        let means = probe::means()?;
        let place = Place::make(&config)?;
        let order = SiteOrder {
            user: means.user,
            hosts_file: place.folder.join(HOSTS),
            bare_hosts_file: place.folder.join(BARE_HOSTS),
            resolv_file: place.folder.join(RESOLV),
        };
        let log =
            fs::File::create(place.folder.join("warden.log")).map_err(system("make a log"))?;
        let warden = Warden::start(&config.exe, &config.run_dir, log)
            .await
            .map_err(system(format!("start {}", config.exe.display())))?;
        let mut notes = raise_site(&warden, &order, &place.folder).await?;
        notes.extend(means.notes.iter().cloned());
        let given = Given {
            ground: Box::new(Site::new(warden)),
            ext4: means.user.is_none(),
            time_ns: means.time_ns,
            notes,
        };
        Self::assemble(config, place, given)
    }

    /// A world without nodes on a ground that stands.
    pub(in crate::world) fn assemble(
        config: EmbeddedConfig,
        place: Place,
        given: Given,
    ) -> Result<Self, WorldError> {
        for note in &given.notes {
            tracing::info!("{} world: {note}", given.ground.name());
        }
        let switch = start_switch(&config)?;
        let origin_ns = monotonic_ns() - config.clock.now_us() as i64 * 1000;
        let (events, reports) = mpsc::unbounded_channel();
        Ok(Self {
            prefix: config.prefix(),
            volumes: Volumes::new(place.folder.join("volumes"), given.ext4),
            config,
            folder: place.folder,
            logs: place.logs,
            time_ns: given.time_ns,
            origin_ns,
            notes: given.notes,
            ground: given.ground,
            switch: std::sync::Mutex::new(Some(switch)),
            nodes: std::sync::Mutex::new(IndexMap::new()),
            events,
            reports: std::sync::Mutex::new(Some(reports)),
            probes: std::sync::atomic::AtomicU64::new(1),
            groups: std::sync::Mutex::default(),
            ties: std::sync::Mutex::default(),
            names: std::sync::Mutex::default(),
        })
    }
}

/// What a world stands on, and what that can do.
pub(in crate::world) struct Given {
    /// Makes its nodes.
    pub(in crate::world) ground: Box<dyn Ground>,
    /// Whether volumes can be ext4.
    pub(in crate::world) ext4: bool,
    /// Whether nodes can have clocks of their own.
    pub(in crate::world) time_ns: bool,
    /// What had to be left out.
    pub(in crate::world) notes: Vec<String>,
}

/// The names of what nodes see as files of their own, in the world's folder.
pub(in crate::world) const HOSTS: &str = "hosts";
/// As [`HOSTS`], for nodes that have a resolver.
pub(in crate::world) const BARE_HOSTS: &str = "hosts.bare";
/// Names the resolver.
pub(in crate::world) const RESOLV: &str = "resolv.conf";

/// Where a world keeps its files.
pub(in crate::world) struct Place {
    /// Its own folder, gone once it is closed.
    pub(in crate::world) folder: PathBuf,
    /// The logs of its nodes.
    pub(in crate::world) logs: PathBuf,
}

impl Place {
    /// Makes the folders, with what every node sees.
    pub(in crate::world) fn make(config: &EmbeddedConfig) -> Result<Self, WorldError> {
        let logs = config.run_dir.join("logs");
        fs::create_dir_all(&logs).map_err(system(format!("make {}", logs.display())))?;
        // Children may have another working folder.
        let run_dir = fs::canonicalize(&config.run_dir).map_err(system("find the run folder"))?;
        let folder = run_dir.join(FOLDER);
        if let Some(journal) = &config.undo {
            let path = folder.clone();
            let recorded = journal.record(Undo::Folder { path });
            recorded.map_err(system("write the journal"))?;
        }
        fs::create_dir_all(&folder).map_err(system(format!("make {}", folder.display())))?;
        if let Some(journal) = &config.undo {
            journal.changed();
        }
        write(&folder.join(HOSTS), &config.hosts_text())?;
        write(&folder.join(BARE_HOSTS), EmbeddedConfig::bare_hosts_text())?;
        write(&folder.join(RESOLV), &resolv_text())?;
        Ok(Self { folder, logs })
    }
}

async fn raise_site(
    warden: &Warden,
    order: &SiteOrder,
    folder: &Path,
) -> Result<Vec<String>, WorldError> {
    let control = &warden.control;
    let exchange = async {
        control.send(order, &[]).await?;
        control.receive::<FromSite>().await
    };
    let failed = |why: String| {
        let log = fs::read_to_string(folder.join("warden.log")).unwrap_or_default();
        WorldError::Failed(
            format!("the site did not come up: {why}\n{log}")
                .trim_end()
                .into(),
        )
    };
    match timeout(SITE_LIMIT, exchange).await {
        Ok(Ok(Some((FromSite::Ready(notes), _)))) => Ok(notes),
        Ok(Ok(Some((FromSite::Broken(error), _)))) => Err(failed(error)),
        Ok(Ok(Some((word, _)))) => Err(failed(format!("its init said {word:?}"))),
        Ok(Ok(None)) => Err(failed("its init has died".into())),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("no answer in 10 s".into())),
    }
}

fn start_switch(config: &EmbeddedConfig) -> Result<Switch, WorldError> {
    let pcap = if config.pcap {
        let path = config.run_dir.join("capture.pcapng");
        Some(fs::File::create(&path).map_err(system(format!("make {}", path.display())))?)
    } else {
        None
    };
    let switch = Switch::start(SwitchConfig {
        seed: config.seed,
        clock: config.clock,
        pcap,
        offload: Means::OFFLOAD && !config.pcap,
    })
    .map_err(system("start the switch"))?;
    for (name, ip) in &config.hosts {
        let node = NodeSpec {
            name: name.clone(),
            ip: *ip,
            services: Vec::new(),
        };
        switch.add_port(name, node.mac(), *ip);
    }
    Ok(switch)
}

pub(in crate::world) fn write(path: &Path, text: &str) -> Result<(), WorldError> {
    fs::write(path, text).map_err(system(format!("write {}", path.display())))
}
