//! The harness's hold on the volumes of a world.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;

use super::super::message::{VolumeMeans, VolumeOrder};
use super::super::open::system;
use super::backing::choose;
use super::ext4::Ext4;
use super::fuse::serve;
use crate::disk::{CutImage, DiskFault, DiskFaultId, Drive, PROBE_FILE, ROOT};
use crate::world::{Backing, NodeSpec, ServiceSpec, VolumeLoss, VolumeSpec, WorldError, no_volume};

/// One volume: it outlives the boots of its node.
#[derive(Debug)]
pub(in super::super) struct Held {
    folder: PathBuf,
    backed: Backed,
}

#[derive(Debug)]
enum Backed {
    Ext4(Mutex<Ext4>),
    Fuse {
        drive: Arc<Drive>,
        /// The way of the present boot.
        alive: std::sync::Mutex<Arc<AtomicBool>>,
    },
}

/// Every volume of a world, by node and service.
#[derive(Debug)]
pub(in super::super) struct Volumes {
    /// Where images and mount points are.
    folder: PathBuf,
    /// The harness is root, with no user namespace about its nodes.
    root: bool,
    all: Mutex<BTreeMap<(String, String), Arc<Held>>>,
}

impl Volumes {
    pub(in super::super) fn new(folder: PathBuf, root: bool) -> Self {
        Self {
            folder,
            root,
            all: Mutex::default(),
        }
    }

    pub(in super::super) async fn find(
        &self,
        node: &str,
        service: &str,
    ) -> Result<Arc<Held>, WorldError> {
        let key = (node.to_string(), service.to_string());
        let held = self.all.lock().await.get(&key).map(Arc::clone);
        held.ok_or_else(|| no_volume("embedded", node, service))
    }

    /// Those of a node, in the order of services.
    async fn of(&self, node: &str) -> Vec<(String, Arc<Held>)> {
        let all = self.all.lock().await;
        let here = all.iter().filter(|((of, _), _)| of == node);
        here.map(|((_, service), held)| (service.clone(), Arc::clone(held)))
            .collect()
    }

    /// What a boot of a node mounts. A volume that is not there yet is made.
    pub(in super::super) async fn orders(
        &self,
        node: &NodeSpec,
    ) -> Result<Vec<VolumeOrder>, WorldError> {
        let mut orders = Vec::new();
        for service in &node.services {
            let Some(spec) = service.volume else {
                continue;
            };
            let held = self.held(&node.name, service, spec).await?;
            orders.push(VolumeOrder {
                service: service.name.clone(),
                folder: held.folder.clone(),
                means: held.means().await,
            });
        }
        Ok(orders)
    }

    async fn held(
        &self,
        node: &str,
        service: &ServiceSpec,
        spec: VolumeSpec,
    ) -> Result<Arc<Held>, WorldError> {
        let key = (node.to_string(), service.name.clone());
        if let Some(held) = self.all.lock().await.get(&key) {
            return Ok(Arc::clone(held));
        }
        let folder = self.folder.join(node).join(&service.name);
        std::fs::create_dir_all(&folder).map_err(system(format!("make {}", folder.display())))?;
        let bytes = spec.size.get() as u64;
        // Only FUSE can tear.
        let asked = match spec.torn {
            true if spec.backing == Backing::Auto => Backing::Fuse,
            _ => spec.backing,
        };
        let root = self.root;
        let image = folder.with_extension("ext4");
        let seed = service.seed;
        let made = move || {
            Ok(match choose(asked, root)? {
                Backing::Ext4 => Backed::Ext4(Mutex::new(ext4(&image, bytes)?)),
                Backing::Auto | Backing::Fuse => Backed::Fuse {
                    drive: Arc::new(Drive::new(bytes, seed)),
                    alive: std::sync::Mutex::default(),
                },
            })
        };
        let backed: Result<Backed, WorldError> = tokio::task::spawn_blocking(made)
            .await
            .map_err(|error| WorldError::Failed(error.to_string()))?;
        let backed = backed?;
        match &backed {
            Backed::Fuse { drive, .. } if spec.torn => drop(drive.fail(DiskFault::Torn)),
            Backed::Ext4(_) if spec.torn => {
                let text = "an ext4 volume does not tear: use `volume: {backing: fuse}`";
                return Err(WorldError::Failed(text.into()));
            }
            _ => {}
        }
        let held = Arc::new(Held { folder, backed });
        self.all.lock().await.insert(key, Arc::clone(&held));
        Ok(held)
    }

    /// A boot has mounted its volumes; takes each by its handle.
    pub(in super::super) async fn mounted(
        &self,
        node: &NodeSpec,
        handles: Vec<OwnedFd>,
    ) -> Result<(), WorldError> {
        let services = node.services.iter().filter(|s| s.volume.is_some());
        for (service, handle) in services.zip(handles) {
            let held = self.find(&node.name, &service.name).await?;
            held.mounted(handle).await?;
        }
        Ok(())
    }

    /// The node's processes are being killed: those that wait for a volume must
    /// not have to.
    pub(in super::super) async fn power_off(&self, node: &str) {
        for (_, held) in self.of(node).await {
            if let Backed::Fuse { drive, .. } = &held.backed {
                drive.power_off();
            }
        }
    }

    /// The node's processes are dead: what was not flushed is gone.
    pub(in super::super) async fn cut(&self, node: &str) -> Result<Vec<VolumeLoss>, WorldError> {
        let (mut lost, mut failed) = (Vec::new(), None);
        for (service, held) in self.of(node).await {
            let known = match &held.backed {
                Backed::Ext4(ext4) => {
                    if let Err(error) = ext4.lock().await.cut().await {
                        failed.get_or_insert(error);
                    }
                    None
                }
                Backed::Fuse { drive, alive } => {
                    let old = std::mem::take(&mut *super::super::live::lock(alive));
                    old.store(false, Ordering::Release);
                    Some(drive.cut())
                }
            };
            lost.push(VolumeLoss {
                service,
                unsynced_bytes: known.map(|loss| loss.unsynced),
                unsynced_names: known.map(|loss| loss.names),
            });
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(lost),
        }
    }
}

fn ext4(image: &Path, bytes: u64) -> Result<Ext4, WorldError> {
    Ext4::make(image, bytes).map_err(system(format!("make an ext4 in {}", image.display())))
}

impl Held {
    /// Where each boot mounts it.
    pub(in super::super) fn folder(&self) -> &Path {
        &self.folder
    }

    async fn means(&self) -> VolumeMeans {
        match &self.backed {
            Backed::Ext4(ext4) => VolumeMeans::Ext4 {
                image: ext4.lock().await.image.clone(),
            },
            Backed::Fuse { .. } => VolumeMeans::Fuse,
        }
    }

    async fn mounted(&self, handle: OwnedFd) -> Result<(), WorldError> {
        match &self.backed {
            Backed::Ext4(ext4) => {
                let mut ext4 = ext4.lock().await;
                ext4.mounted(handle).map_err(system("take a volume"))
            }
            Backed::Fuse { drive, alive } => {
                let now = Arc::new(AtomicBool::new(true));
                *super::super::live::lock(alive) = Arc::clone(&now);
                serve(handle, Arc::clone(drive), now).map_err(system("serve a volume"))
            }
        }
    }

    pub(in super::super) async fn fail(&self, fault: DiskFault) -> Result<DiskFaultId, WorldError> {
        match &self.backed {
            Backed::Ext4(ext4) => ext4.lock().await.fail(fault),
            Backed::Fuse { drive, .. } => Ok(drive.fail(fault)),
        }
    }

    pub(in super::super) async fn mend(&self, id: DiskFaultId) -> Result<(), WorldError> {
        match &self.backed {
            Backed::Ext4(ext4) => ext4.lock().await.mend(id),
            Backed::Fuse { drive, .. } => {
                drive.mend(id);
                Ok(())
            }
        }
    }

    /// Whether the harness itself can tell what a cut would leave.
    pub(in super::super) fn tells(&self) -> bool {
        matches!(self.backed, Backed::Fuse { .. })
    }

    /// What a cut would leave of the probe's file, which then is removed.
    pub(in super::super) fn image(&self) -> Option<CutImage> {
        let Backed::Fuse { drive, .. } = &self.backed else {
            return None;
        };
        let image = drive.image();
        let _ = drive.names(|volume| volume.remove(ROOT, PROBE_FILE, false));
        image
    }
}
