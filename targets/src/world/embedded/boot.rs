//! Booting a node.

use std::fs::{self, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::service::{Program, ServiceFile, ServiceStart};
use crate::world::{NodeSpec, ServiceSpec, WorldError};

use super::channel::{self, AsyncChannel};
use super::enclosure::Enclosure;
use super::ground::{BOOT_LIMIT, no_boot};
use super::live::{Given, Live, Wires, lock, run_wire};
use super::message::{BootOrder, CommandOrder, ServiceOrder, VolumeOrder};
use super::open::{monotonic_ns, system, write};
use super::probe::Means;
use super::world::EmbeddedWorld;

/// Where a new boot's monotonic clock starts.
const FIRST_TICK_NS: i64 = 1_000_000;

/// What goes to the node beside its order.
struct Baggage {
    log: OwnedFd,
    /// The services' ends of their wires.
    ends: Vec<OwnedFd>,
    wires: Wires,
}

impl EmbeddedWorld {
    /// See [`World::boot`](crate::world::World::boot).
    pub(super) async fn boot_node(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        match self.config.hosts.get(&node.name) {
            Some(ip) if *ip == node.ip => {}
            Some(ip) => {
                let (name, asked) = (&node.name, node.ip);
                let text = format!("node `{name}` has address {ip} in this world, not {asked}");
                return Err(WorldError::Failed(text));
            }
            None => return Err(WorldError::NoNode(node.name.clone())),
        }
        if lock(&self.nodes).contains_key(&node.name) {
            return Err(WorldError::Failed(format!("node `{}` is up", node.name)));
        }
        let offset_ns = self.time_ns.then(|| FIRST_TICK_NS - monotonic_ns());
        let volumes = self.volumes.orders(node).await?;
        let order = self.order_for(node, boot, offset_ns, volumes)?;
        let (ours, theirs) = channel::pair().map_err(system("make a control socket"))?;
        let Baggage { log, ends, wires } = self.baggage(node, boot, offset_ns, &order.volumes)?;
        let given = Given {
            offset_ns,
            volumes: order.volumes.clone(),
        };
        let init = {
            let mut fds: Vec<BorrowedFd<'_>> = vec![theirs.as_fd(), log.as_fd()];
            fds.extend(ends.iter().map(AsFd::as_fd));
            self.ground.fork(order, &fds).await?
        };
        // Else its death would not close its control socket.
        drop((theirs, ends));
        let control = AsyncChannel::new(ours).map_err(system("watch a control socket"))?;
        let live = Live::new(&node.name, init, control, wires, given)
            .map_err(system("watch a node's init"))?;
        let live = Arc::new(live);
        lock(&self.nodes).insert(node.name.clone(), Arc::clone(&live));
        let mut result = self.light(node, &live).await;
        if result.is_ok() {
            // What was changed since its order was written.
            result = self.tell_names(&node.name).await;
        }
        if result.is_err() {
            let _ = live.kill();
            self.volumes.power_off(&node.name).await;
            let _ = live.dead(BOOT_LIMIT).await;
            let _ = self.volumes.cut(&node.name).await;
            self.forget(&node.name, &live);
        }
        result
    }

    fn order_for(
        &self,
        node: &NodeSpec,
        boot: u32,
        clock_offset_ns: Option<i64>,
        volumes: Vec<VolumeOrder>,
    ) -> Result<BootOrder, WorldError> {
        let boot_id_file = self.folder.join(format!("{}.boot_id", node.name));
        let id = boot_id(self.config.seed, &node.name, boot);
        write(&boot_id_file, &format!("{id}\n"))?;
        Ok(BootOrder {
            id: 0,
            node: node.name.clone(),
            ip: node.ip,
            prefix: self.prefix,
            mac: node.mac(),
            offload: Means::OFFLOAD && !self.config.pcap,
            contained: self.ground.name() != "embedded",
            boot_id_file,
            clock_offset_ns,
            hosts: self.config.hosts.clone().into_iter().collect(),
            names: lock(&self.names).of_node(&node.name),
            services: self.orders(node, &volumes)?,
            volumes,
        })
    }

    fn baggage(
        &self,
        node: &NodeSpec,
        boot: u32,
        offset_ns: Option<i64>,
        volumes: &[VolumeOrder],
    ) -> Result<Baggage, WorldError> {
        let path = self.log_path(&node.name);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(system(format!("open {}", path.display())))?;
        let (ends, wires) = self.wires(node, boot, offset_ns, volumes)?;
        Ok(Baggage {
            log: log.into(),
            ends,
            wires,
        })
    }

    /// A new wire for each built-in service: the node's ends, and ours.
    pub(super) fn wires(
        &self,
        node: &NodeSpec,
        boot: u32,
        offset_ns: Option<i64>,
        volumes: &[VolumeOrder],
    ) -> Result<(Vec<OwnedFd>, Wires), WorldError> {
        let mut theirs = Vec::new();
        let mut wires = IndexMap::new();
        for service in &node.services {
            let Program::Builtin { name, config } = &service.program else {
                continue;
            };
            let start = ServiceStart {
                program: name.clone(),
                config: config.clone(),
                service: service.name.clone(),
                node: node.name.clone(),
                boot,
                seed: service.seed,
                origin_monotonic_ns: self.origin_ns,
                monotonic_offset_ns: offset_ns.unwrap_or(0),
                hosts: self.config.hosts.clone(),
                volume: folder_of(volumes, &service.name),
            };
            let (ours, end) = UnixStream::pair().map_err(system("make a service's wire"))?;
            theirs.push(OwnedFd::from(end));
            let stream = ours
                .set_nonblocking(true)
                .and_then(|()| tokio::net::UnixStream::from_std(ours))
                .map_err(system("watch a service's wire"))?;
            let voice = run_wire(stream, start, self.events.clone());
            wires.insert(service.name.clone(), voice);
        }
        Ok((theirs, wires))
    }

    /// Waits for the node to be up, and lights its port last.
    async fn light(&self, node: &NodeSpec, live: &Arc<Live>) -> Result<(), WorldError> {
        let name = &node.name;
        let failed = |why: &str| no_boot(name, why);
        let (tap, volumes, notes) = match timeout(BOOT_LIMIT, live.up()).await {
            Ok(up) => up.map_err(|why| failed(&why))?,
            Err(_) => return Err(failed("its init did not answer in 10 s")),
        };
        for note in notes {
            tracing::info!(node = %name, "{note}");
        }
        self.volumes.mounted(node, volumes).await?;
        live.listen(self.log_path(name), self.events.clone());
        self.ground.join(node, &self.events).await?;
        // Under the lock, so that a cut comes before or after but not between.
        let nodes = lock(&self.nodes);
        if !nodes.get(name).is_some_and(|here| Arc::ptr_eq(here, live)) {
            return Err(failed("its power was cut meanwhile"));
        }
        let lit = self.with_switch(|switch| switch.light(name, tap))?;
        lit.map_err(system(format!("light the port of node `{name}`")))
    }

    /// Takes a node off the list, unless a later boot has its place.
    fn forget(&self, name: &str, live: &Arc<Live>) {
        let mut nodes = lock(&self.nodes);
        if nodes.get(name).is_some_and(|here| Arc::ptr_eq(here, live)) {
            nodes.shift_remove(name);
        }
    }
}

impl EmbeddedWorld {
    /// How each service of a node is started.
    pub(super) fn orders(
        &self,
        node: &NodeSpec,
        volumes: &[VolumeOrder],
    ) -> Result<Vec<ServiceOrder>, WorldError> {
        let order = |service: &ServiceSpec| {
            let command = match &service.program {
                Program::Builtin { .. } | Program::Image { .. } => None,
                Program::Command { argv, env, files } => {
                    let volume = path_of(volumes, &service.name);
                    Some(CommandOrder {
                        argv: argv.clone(),
                        env: env.iter().cloned().chain(volume).collect(),
                        enclosure: self.enclosure(node, &service.name, files, volumes)?,
                    })
                }
            };
            let name = service.name.clone();
            Ok(ServiceOrder { name, command })
        };
        // Images are no children of the init; the ground starts them.
        let is_image = |s: &&ServiceSpec| matches!(s.program, Program::Image { .. });
        let own = node.services.iter().filter(|service| !is_image(service));
        own.map(order).collect()
    }

    /// What a program sees of the host; its files are put where it can take them
    /// from.
    fn enclosure(
        &self,
        node: &NodeSpec,
        service: &str,
        files: &[ServiceFile],
        volumes: &[VolumeOrder],
    ) -> Result<Enclosure, WorldError> {
        let folder = self.folder.join("services").join(&node.name).join(service);
        let stage = folder.join("root");
        fs::create_dir_all(&stage).map_err(system(format!("make {}", stage.display())))?;
        let mut given = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let from = folder.join(number.to_string());
            write(&from, &file.text)?;
            given.push((from, file.path.clone()));
        }
        Ok(Enclosure {
            stage,
            files: given,
            kept: folder_of(volumes, service).into_iter().collect(),
        })
    }
}

/// The variable that tells a program of the host where its volume is.
const VOLUME: &str = "RIDETHROUGH_VOLUME";

fn folder_of(volumes: &[VolumeOrder], service: &str) -> Option<PathBuf> {
    let volume = volumes.iter().find(|volume| volume.service == service)?;
    Some(volume.folder.clone())
}

fn path_of(volumes: &[VolumeOrder], service: &str) -> Option<(String, String)> {
    let folder = folder_of(volumes, service)?;
    Some((VOLUME.into(), folder.to_string_lossy().into_owned()))
}

/// A random-looking id that differs at every boot and follows from the seed.
fn boot_id(seed: u64, node: &str, boot: u32) -> uuid::Uuid {
    let digest = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(boot.to_be_bytes())
        .chain_update(node.as_bytes())
        .finalize();
    let bytes: [u8; 16] = std::array::from_fn(|at| digest[at]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
