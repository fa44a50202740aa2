//! What nodes' inits stand on: namespaces of this machine, or containers.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use crate::fabric::Switch;
use crate::world::{NodeSpec, NodeState, ServiceSpec, WorldError, WorldEvent};

use super::message::{BootOrder, FromSite};
use super::open::system;
use super::warden::Warden;

/// How long each half of a boot may take.
pub(in crate::world) const BOOT_LIMIT: Duration = Duration::from_secs(10);

/// Makes the inits of nodes. Everything above speaks to an init over its control
/// socket and does not know where it runs.
#[async_trait]
pub(in crate::world) trait Ground: fmt::Debug + Send + Sync {
    /// The world's name.
    fn name(&self) -> &'static str;

    /// Makes a node's init and hands it its order with the descriptors that go
    /// beside it; returns a descriptor of its process.
    async fn fork(&self, order: BootOrder, fds: &[BorrowedFd<'_>]) -> Result<OwnedFd, WorldError>;

    /// Whether a service can stand on it.
    fn takes(&self, service: &ServiceSpec) -> Result<(), WorldError>;

    /// Starts what of a node is no child of its init, once that is up.
    async fn join(
        &self,
        _node: &NodeSpec,
        _events: &mpsc::UnboundedSender<WorldEvent>,
    ) -> Result<(), WorldError> {
        Ok(())
    }

    /// Runs a program where a service is that is no child of the node's init;
    /// `None` where it is one.
    async fn check(
        &self,
        _node: &str,
        _service: &str,
        _argv: &[String],
    ) -> Option<Result<bool, WorldError>> {
        None
    }

    /// The cables of a node whose network somebody else has made, each a device
    /// for a port of the switch.
    async fn plug(&self, _node: &str) -> Result<Vec<Cable>, WorldError> {
        Ok(Vec::new())
    }

    /// The ports of a node are lit: nothing else may carry its frames from now on.
    fn plugged(&self, _node: &str) -> Result<(), WorldError> {
        Ok(())
    }

    /// Kills what of nodes outlives their inits.
    async fn cut(&self, _nodes: &[String]) -> Result<(), WorldError> {
        Ok(())
    }

    /// Stops a node's processes or lets them go on; `None` where its init does.
    async fn hang(&self, _node: &str, _hung: bool) -> Option<Result<(), WorldError>> {
        None
    }

    /// What a node's processes do; `None` where its init tells.
    async fn state(&self, _node: &str) -> Option<Result<NodeState, WorldError>> {
        None
    }

    /// Whether a node is somebody else's, and goes on after the world is closed.
    fn is_foreign(&self, _node: &str) -> bool {
        false
    }

    /// Lets go of all that is somebody else's, as it was.
    async fn release(&self) -> Result<(), WorldError> {
        Ok(())
    }

    /// Bounds what a node's processes can get of memory beyond what they have,
    /// or ends that. `None` where it is for the caller to do.
    async fn bound_memory(
        &self,
        _node: &str,
        _leave_bytes: Option<u64>,
    ) -> Option<Result<(), WorldError>> {
        None
    }

    /// Ends whatever is left, and waits until nothing is.
    async fn end(&self, limit: Duration) -> Result<(), WorldError>;
}

/// A device for a port of the switch, which somebody else has made.
#[derive(Debug)]
pub(in crate::world) struct Cable {
    /// The port.
    pub(in crate::world) port: String,
    /// The network that it is on.
    pub(in crate::world) segment: usize,
    /// Its other end's hardware address.
    pub(in crate::world) mac: [u8; 6],
    /// Frames are read from it and written to it.
    pub(in crate::world) device: OwnedFd,
}

impl Cable {
    /// Lights its port, which belongs to a node.
    pub(super) fn light(self, switch: &Switch, owner: &str) -> io::Result<()> {
        switch.add_side_port(&self.port, owner, self.segment, self.mac);
        switch.light_as_is(&self.port, self.device)
    }
}

/// The init of a site, which forks those of nodes.
#[derive(Debug)]
pub(super) struct Site {
    warden: Warden,
    /// Serialises orders; holds the last order's number.
    last: Mutex<u64>,
}

impl Site {
    /// Behind a warden whose site stands.
    pub(super) fn new(warden: Warden) -> Self {
        Self {
            warden,
            last: Mutex::new(0),
        }
    }
}

#[async_trait]
impl Ground for Site {
    fn name(&self) -> &'static str {
        "embedded"
    }

    async fn fork(
        &self,
        mut order: BootOrder,
        fds: &[BorrowedFd<'_>],
    ) -> Result<OwnedFd, WorldError> {
        let mut last = self.last.lock().await;
        *last += 1;
        order.id = *last;
        let control = &self.warden.control;
        let exchange = async {
            control.send(&order, fds).await?;
            loop {
                match control.receive::<FromSite>().await? {
                    Some((FromSite::Forked(id), mut fds)) if id == order.id => {
                        return Ok(fds.pop().ok_or_else(|| "sent no process".to_string()));
                    }
                    Some((FromSite::Refused(id, error), _)) if id == order.id => {
                        return Ok(Err(error));
                    }
                    // An answer to a boot that was given up.
                    Some(_) => {}
                    None => return Ok(Err("the site is gone".to_string())),
                }
            }
        };
        match timeout(BOOT_LIMIT, exchange).await {
            Ok(Ok(Ok(init))) => Ok(init),
            Ok(Ok(Err(error))) => Err(no_boot(&order.node, &error)),
            Ok(Err(source)) => Err(system("reach the site")(source)),
            Err(_) => Err(no_boot(&order.node, "the site did not answer in 10 s")),
        }
    }

    fn takes(&self, service: &ServiceSpec) -> Result<(), WorldError> {
        service.refuse_image()
    }

    async fn end(&self, limit: Duration) -> Result<(), WorldError> {
        let ended = self.warden.end(limit).await;
        ended.map_err(system("see the end of the site"))
    }
}

/// A node did not come up.
pub(in crate::world) fn no_boot(node: &str, why: &str) -> WorldError {
    WorldError::Failed(format!("node `{node}` did not boot: {why}"))
}
