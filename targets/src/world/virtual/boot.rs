//! Starting a node's services.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::mpsc;

use super::shortage::Theft;
use super::wire::{Files, NodeNet};
use super::world::VirtualWorld;
use crate::service::{Census, Env, FromService, Home, PanelPeer, Program, ToService, panel_pair};
use crate::world::tail::tail;
use crate::world::{NodeSpec, ServiceSpec, WorldError, WorldEvent};

/// A node that is up.
pub(super) struct Live {
    /// By service.
    pub(super) homes: IndexMap<String, Home>,
    pub(super) wires: IndexMap<String, mpsc::UnboundedSender<ToService>>,
    pub(super) files: IndexMap<String, Files>,
    pub(super) hung: bool,
    /// Its processor is with somebody else now.
    pub(super) stolen: bool,
    pub(super) theft: Option<Theft>,
    /// The number of its kernel.
    pub(super) kernel: u32,
}

impl VirtualWorld {
    /// See [`World::boot`](crate::world::World::boot).
    pub(super) fn boot_node(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        let place = self.place(&node.name)?;
        match self.config.hosts.get(&node.name) {
            Some(ip) if *ip != node.ip => {
                let (name, asked) = (&node.name, node.ip);
                let text = format!("node `{name}` has address {ip} in this world, not {asked}");
                return Err(WorldError::Failed(text));
            }
            _ => {}
        }
        if self.nodes().contains_key(&node.name) {
            return Err(WorldError::Failed(format!("node `{}` is up", node.name)));
        }
        let log = self.logs.path(&node.name);
        self.logs
            .open(&node.name)
            .map_err(|source| WorldError::System {
                what: format!("open {}", log.display()),
                source,
            })?;
        let kernel = self.wire.new_kernel(place);
        let mut live = Live {
            homes: IndexMap::new(),
            wires: IndexMap::new(),
            files: IndexMap::new(),
            hung: false,
            stolen: false,
            theft: None,
            kernel,
        };
        for service in &node.services {
            let net = NodeNet::new(self.wire.clone(), place, kernel);
            let files = net.files.clone();
            let started = self.start(node, service, boot, net);
            let (home, wire) = started.inspect_err(|_| {
                // What was started before it dies with the boot.
                live.homes.values().for_each(Home::kill);
            })?;
            live.homes.insert(service.name.clone(), home);
            live.wires.insert(service.name.clone(), wire);
            live.files.insert(service.name.clone(), files);
        }
        self.nodes().insert(node.name.clone(), live);
        self.wire.light(place);
        Ok(())
    }

    pub(super) fn start(
        &self,
        node: &NodeSpec,
        service: &ServiceSpec,
        boot: u32,
        net: NodeNet,
    ) -> Result<(Home, mpsc::UnboundedSender<ToService>), WorldError> {
        let name = &service.name;
        service.refuse_image()?;
        let Program::Builtin { name: of, config } = &service.program else {
            return Err(WorldError::Missing {
                what: format!(
                    "service `{name}` runs a program of the host, and a virtual world has no host"
                ),
                remedy: "use `--world embedded`".into(),
            });
        };
        let (panel, PanelPeer { outbox, inbox }) = panel_pair();
        let voice = panel.voice();
        let env = Env {
            service: name.clone(),
            node: node.name.clone(),
            boot,
            net: Arc::new(net),
            disk: self.disk(&node.name, service),
            clock: self.config.clock,
            seed: service.seed,
            panel,
        };
        let running = (self.config.registry)(of, config.clone(), env)
            .ok_or_else(|| WorldError::Failed(format!("no built-in service `{of}`")))?;
        let census = Arc::clone(&self.bound) as Arc<dyn Census>;
        let home = Home::new(format!("{}/{name}", node.name), census);
        let main = home.spawn(async move {
            let result = running.await;
            if let Err(error) = &result {
                tracing::error!(%error, "service failed");
                let error = error.to_string();
                let _ = voice.send(FromService::Failed { error });
            }
            result.is_ok()
        });
        let events = self.events.clone();
        let (node, service) = (node.name.clone(), name.clone());
        let log = self.logs.path(&node);
        let whole = home.clone();
        tokio::spawn(async move {
            // A process's end is the end of all its tasks.
            let ended = async {
                let result = main.await;
                whole.kill();
                result
            };
            let (ended, ()) = tokio::join!(ended, pass_on(inbox, &node, &service, &events));
            let how = match ended {
                Ok(true) => "exit code 0",
                Ok(false) => "exit code 1",
                Err(error) if error.is_panic() => "exit code 101",
                // Killed from outside, which is not for it to tell.
                Err(_) => return,
            };
            let _ = events.send(WorldEvent::Exited {
                node,
                service,
                how: how.into(),
                tail: tail(&log),
            });
        });
        Ok((home, outbox))
    }
}

/// Passes on what a service says, until nobody is left who could say more.
async fn pass_on(
    mut words: mpsc::UnboundedReceiver<FromService>,
    node: &str,
    service: &str,
    events: &mpsc::UnboundedSender<WorldEvent>,
) {
    while let Some(word) = words.recv().await {
        let _ = events.send(WorldEvent::Said {
            node: node.to_string(),
            service: service.to_string(),
            word,
        });
    }
}
