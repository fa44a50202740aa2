//! Machines that run short of something, and services that start again.

use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::boot::Live;
use super::wire::NodeNet;
use super::world::VirtualWorld;
use crate::service::Home;
use crate::world::{FileUse, Inquiry, NodeSpec, Shortage, Supply, WorldError};

/// A processor that is taken away for a share of every period.
pub(super) struct Theft(AbortHandle);

impl Drop for Theft {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl VirtualWorld {
    /// See [`World::restart`](crate::world::World::restart).
    pub(super) fn restart_services(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        let place = self.place(&node.name)?;
        let kernel = self.with_live(&node.name, |live| live.kernel)?;
        for service in &node.services {
            let net = NodeNet::new(self.wire.clone(), place, kernel);
            let files = net.files.clone();
            let (home, wire) = self.start(node, service, boot, net)?;
            self.with_live(&node.name, |live| {
                live.homes.insert(service.name.clone(), home);
                live.wires.insert(service.name.clone(), wire);
                live.files.insert(service.name.clone(), files);
            })?;
        }
        // Its processor may be with somebody else now.
        self.with_live(&node.name, |live| live.settle())
    }

    /// See [`World::deprive`](crate::world::World::deprive).
    pub(super) fn make_short(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        match *shortage {
            Shortage::Cpu { stolen, period } => {
                let taken = period.duration().mul_f64(stolen.get().clamp(0.0, 1.0));
                let rest = period.duration().saturating_sub(taken);
                let theft = self.steal(node, taken, rest)?;
                self.with_live(node, |live| live.theft = Some(theft))
            }
            Shortage::Files { leave } => self.with_live(node, |live| {
                live.files
                    .values()
                    .for_each(|files| files.leave(Some(leave)));
            }),
            Shortage::Memory { .. } => Err(no_memory()),
        }
    }

    /// See [`World::supply`](crate::world::World::supply).
    pub(super) fn end_short(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        let ended = self.with_live(node, |live| match shortage {
            Shortage::Cpu { .. } => {
                live.theft = None;
                live.stolen = false;
                live.settle();
            }
            Shortage::Files { .. } => live.files.values().for_each(|files| files.leave(None)),
            Shortage::Memory { .. } => {}
        });
        match ended {
            // What was taken from its last boot is gone with it.
            Err(WorldError::Failed(_)) => Ok(()),
            ended => ended,
        }
    }

    /// See [`World::inquire`](crate::world::World::inquire).
    pub(super) fn answer(&self, node: &str, inquiry: Inquiry) -> Result<Supply, WorldError> {
        match inquiry {
            Inquiry::Files => {}
            Inquiry::Clock => return Ok(Supply::Clock(0)),
            Inquiry::Memory { .. } => return Err(no_memory()),
        }
        self.with_live(node, |live| {
            let of = |(service, files): (&String, &super::wire::Files)| {
                let (open, limit) = files.usage();
                FileUse {
                    service: service.clone(),
                    open,
                    limit,
                }
            };
            Supply::Files(live.files.iter().map(of).collect())
        })
    }

    fn steal(&self, node: &str, taken: Duration, rest: Duration) -> Result<Theft, WorldError> {
        let world = self.itself();
        let name = node.to_string();
        self.with_live(node, |_| ())?;
        let task = tokio::spawn(async move {
            loop {
                for (stolen, length) in [(true, taken), (false, rest)] {
                    let Some(world) = world.upgrade() else {
                        return;
                    };
                    let turned = world.with_live(&name, |live| {
                        live.stolen = stolen;
                        live.settle();
                    });
                    if turned.is_err() {
                        return;
                    }
                    drop(world);
                    sleep(length).await;
                }
            }
        });
        Ok(Theft(task.abort_handle()))
    }
}

impl Live {
    /// Lets its services run, or not.
    pub(super) fn settle(&self) {
        let act = match self.hung || self.stolen {
            true => Home::freeze,
            false => Home::thaw,
        };
        self.homes.values().for_each(act);
    }
}

fn no_memory() -> WorldError {
    WorldError::Missing {
        what: "services of a virtual world have no memory of their own to run short of".into(),
        remedy: "use `--world embedded`".into(),
    }
}
