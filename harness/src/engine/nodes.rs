//! Machines that lose power and get it back.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;

use ridethrough_faults::Machines;
use ridethrough_targets::clock::Micros;
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{NodeSpec, World, WorldError};

use super::crash_loop::{Crashing, crash_loop};
use super::recorder::Recorder;
use super::sockets::Silence;
use crate::record::Body;

/// Boots and cuts nodes, one thing at a time each.
pub(crate) struct NodeKeeper {
    pub(super) world: Arc<dyn World>,
    recorder: Recorder,
    nodes: IndexMap<String, Kept>,
    /// Nodes whose services crash in a loop.
    crashing: Mutex<IndexMap<String, Crashing>>,
    /// Told of every node that is up.
    up: OnceLock<Tell>,
    /// The run is over.
    over: CancellationToken,
    itself: Weak<Self>,
}

/// Somebody who is told of a node.
type Tell = Box<dyn Fn(&str) + Send + Sync>;

pub(super) struct Kept {
    pub(super) spec: NodeSpec,
    /// Time from power to the start of its services.
    boot: Duration,
    state: Mutex<State>,
    /// Added to `boot` by a fault.
    later: Mutex<Span>,
    /// Held while the world boots or cuts it.
    pub(super) busy: AsyncMutex<()>,
}

#[derive(Default)]
pub(super) struct State {
    /// Grows with every change of its power, so that a boot that was overtaken
    /// by a cut knows it.
    generation: u64,
    pub(super) boots: u32,
    pub(super) up: bool,
}

impl NodeKeeper {
    pub(crate) fn new(
        world: Arc<dyn World>,
        recorder: Recorder,
        nodes: impl IntoIterator<Item = (NodeSpec, Duration)>,
        over: CancellationToken,
    ) -> Arc<Self> {
        let nodes = nodes
            .into_iter()
            .map(|(spec, boot)| {
                let name = spec.name.clone();
                let kept = Kept {
                    spec,
                    boot,
                    state: Mutex::default(),
                    later: Mutex::default(),
                    busy: AsyncMutex::default(),
                };
                (name, kept)
            })
            .collect();
        Arc::new_cyclic(|itself| Self {
            world,
            recorder,
            nodes,
            crashing: Mutex::default(),
            up: OnceLock::new(),
            over,
            itself: Weak::clone(itself),
        })
    }

    /// Has somebody told of every node that is up from now on.
    pub(crate) fn when_up(&self, tell: impl Fn(&str) + Send + Sync + 'static) {
        let _ = self.up.set(Box::new(tell));
    }

    /// What is held towards machines that are dark now, by those that are not.
    async fn silence(&self, since_us: Micros, dark: &[String]) {
        let there = |kept: &&Kept| kept.lock().up || dark.contains(&kept.spec.name);
        let nodes = self.nodes.values().filter(there);
        let nodes: Vec<&NodeSpec> = nodes.map(|kept| &kept.spec).collect();
        let silence = Silence {
            cause: "power cut",
            fault: None,
            since_us,
            victims: dark,
            nodes: &nodes,
        };
        silence.record(self.world.as_ref(), &self.recorder).await;
    }

    fn itself(&self) -> Weak<Self> {
        Weak::clone(&self.itself)
    }

    fn crashing(&self) -> MutexGuard<'_, IndexMap<String, Crashing>> {
        self.crashing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Boots a node now, past its boot delay: the start of a run finds a site
    /// that has been running for long.
    pub(crate) async fn boot_first(&self, name: &str) -> Result<(), WorldError> {
        self.boot(self.kept(name)?, None).await
    }

    pub(super) fn kept(&self, name: &str) -> Result<&Kept, WorldError> {
        let kept = self.nodes.get(name);
        kept.ok_or_else(|| WorldError::NoNode(name.to_string()))
    }

    /// Power is back: the node boots after its delay, unless it is cut again
    /// before that.
    pub(crate) fn power_on(self: &Arc<Self>, name: &str) {
        let Some(kept) = self.nodes.get(name) else {
            return;
        };
        let generation = {
            let mut state = kept.lock();
            state.generation += 1;
            state.generation
        };
        let (keeper, name) = (Arc::clone(self), name.to_string());
        tokio::spawn(async move {
            let Some(kept) = keeper.nodes.get(&name) else {
                return;
            };
            tokio::time::sleep(kept.boot_time().duration()).await;
            let booted = keeper.boot(kept, Some(generation)).await;
            // What boots while the world is taken down has no world to boot in.
            if let (Err(error), false) = (booted, keeper.over.is_cancelled()) {
                let reason = format!("{name} did not boot when its power came back: {error}");
                keeper.recorder.now("engine", Body::Invalid { reason });
            }
        });
    }

    async fn boot(&self, kept: &Kept, generation: Option<u64>) -> Result<(), WorldError> {
        let _busy = kept.busy.lock().await;
        let boot = {
            let mut state = kept.lock();
            if state.up || generation.is_some_and(|g| g != state.generation) {
                return Ok(());
            }
            state.up = true;
            state.boots += 1;
            state.boots - 1
        };
        let node = kept.spec.name.clone();
        self.recorder.now(
            "engine",
            Body::NodeBoot {
                node: node.clone(),
                boot,
            },
        );
        match self.world.boot(&kept.spec, boot).await {
            Ok(()) => {
                if let Some(tell) = self.up.get() {
                    tell(&node);
                }
                self.recorder.now("engine", Body::NodeUp { node });
                Ok(())
            }
            Err(error) => {
                kept.lock().up = false;
                Err(error)
            }
        }
    }

    /// Power is gone from all of these at one instant.
    pub(crate) async fn cut(&self, names: &[String]) {
        let mut busy = Vec::new();
        let mut live = Vec::new();
        for name in names {
            let Some(kept) = self.nodes.get(name) else {
                continue;
            };
            kept.lock().generation += 1;
            busy.push(kept.busy.lock().await);
            let mut state = kept.lock();
            if state.up {
                state.up = false;
                live.push(name.clone());
            }
        }
        if live.is_empty() {
            return;
        }
        match self.world.cut(&live).await {
            Ok(receipts) => {
                let dark = receipts.iter().map(|receipt| receipt.dark_us).min();
                for receipt in receipts {
                    let leaked = self.world.counters(&receipt.node).map_or(0, |c| c.leaked);
                    let body = Body::NodeDown {
                        node: receipt.node,
                        dark_us: receipt.dark_us,
                        dead_us: receipt.dead_us,
                        leaked,
                        lost: receipt.lost,
                    };
                    self.recorder.at(receipt.dead_us, "engine", body);
                }
                self.silence(dark.unwrap_or_default(), &live).await;
            }
            Err(error) => {
                let reason = format!("the power of {} could not be cut: {error}", live.join(", "));
                self.recorder.now("engine", Body::Invalid { reason });
            }
        }
    }
}

#[async_trait]
impl Machines for NodeKeeper {
    async fn crash_loop(&self, node: &str, every: Span, restart: Span) -> Result<(), WorldError> {
        self.kept(node)?;
        if self.crashing().contains_key(node) {
            let text = format!("the services of {node} crash in a loop already");
            return Err(WorldError::Failed(text));
        }
        let stop = CancellationToken::new();
        let looping = crash_loop(
            self.itself(),
            node.to_string(),
            every,
            restart,
            stop.clone(),
        );
        let task = tokio::spawn(looping);
        self.crashing()
            .insert(node.to_string(), Crashing { stop, task });
        Ok(())
    }

    async fn end_crash_loop(&self, node: &str) -> Result<(), WorldError> {
        let Some(crashing) = self.crashing().shift_remove(node) else {
            return Ok(());
        };
        crashing.stop.cancel();
        match crashing.task.await {
            Ok(ended) => ended,
            Err(error) => Err(WorldError::Failed(format!("the loop broke: {error}"))),
        }
    }

    async fn jump_clock(&self, node: &str, ahead: Span) -> Result<(), WorldError> {
        let kept = self.kept(node)?;
        let _busy = kept.busy.lock().await;
        let boots = kept.lock().boots;
        let boot = boots.saturating_sub(1);
        self.world.jump_clock(&kept.spec, boot, ahead).await
    }

    fn boot_time(&self, node: &str) -> Option<Span> {
        self.nodes.get(node).map(Kept::boot_time)
    }

    fn boot_later(&self, node: &str, by: Span) {
        if let Some(kept) = self.nodes.get(node) {
            *kept.later.lock().unwrap_or_else(PoisonError::into_inner) = by;
        }
    }
}

impl Kept {
    /// Time from power to the start of its services, as things are.
    fn boot_time(&self) -> Span {
        let later = *self.later.lock().unwrap_or_else(PoisonError::into_inner);
        Span::from_micros(self.boot.as_micros() as u64 + later.micros())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
