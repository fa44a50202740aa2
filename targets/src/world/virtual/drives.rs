//! The drives of a virtual world: they outlive the boots of their nodes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use super::disk::VirtualDisk;
use super::world::VirtualWorld;
use crate::clock::Clock;
use crate::disk::{Disk, DiskFault, DiskProbe, DiskReport, Drive, PROBE_FILE, ROOT, probe};
use crate::world::{ServiceSpec, VolumeLoss, WorldError, no_volume};

/// By node and service.
#[derive(Default)]
pub(super) struct Drives(Mutex<IndexMap<(String, String), Arc<Drive>>>);

impl Drives {
    fn lock(&self) -> MutexGuard<'_, IndexMap<(String, String), Arc<Drive>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, node: &str, service: &str) -> Result<Arc<Drive>, WorldError> {
        let key = (node.to_string(), service.to_string());
        let drive = self.lock().get(&key).map(Arc::clone);
        drive.ok_or_else(|| no_volume("virtual", node, service))
    }

    /// Cuts the power of every drive of a node.
    pub(super) fn cut(&self, node: &str) -> Vec<VolumeLoss> {
        let drives = self.lock();
        let here = drives.iter().filter(|((of, _), _)| of == node);
        here.map(|((_, service), drive)| {
            let loss = drive.cut();
            VolumeLoss {
                service: service.clone(),
                unsynced_bytes: Some(loss.unsynced),
                unsynced_names: Some(loss.names),
            }
        })
        .collect()
    }

    /// See [`World::probe_disk`](crate::world::World::probe_disk).
    pub(super) async fn probe(
        &self,
        node: &str,
        service: &str,
        asked: &DiskProbe,
        clock: Clock,
    ) -> Result<DiskReport, WorldError> {
        let drive = self.find(node, service)?;
        let disk = VirtualDisk::new(Arc::clone(&drive));
        let mut report = probe(&disk, asked, clock).await;
        if let Some(image) = drive.image() {
            report.sectors = image.of;
            report.synced = image.synced;
            report.unsynced = image.unsynced;
        }
        let _ = drive.names(|volume| volume.remove(ROOT, PROBE_FILE, false));
        Ok(report)
    }
}

impl VirtualWorld {
    /// The volume of a service, made when it is first asked for.
    pub(super) fn disk(&self, node: &str, service: &ServiceSpec) -> Option<Arc<dyn Disk>> {
        let spec = service.volume?;
        let mut drives = self.drives.lock();
        let key = (node.to_string(), service.name.clone());
        let drive = drives.entry(key).or_insert_with(|| {
            let drive = Drive::new(spec.size.get() as u64, service.seed);
            if spec.torn {
                drive.fail(DiskFault::Torn);
            }
            Arc::new(drive)
        });
        Some(Arc::new(VirtualDisk::new(Arc::clone(drive))))
    }
}
