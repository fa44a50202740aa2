//! Services that are killed and started again, over and over.

use std::sync::{Arc, Weak};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{NodeState, WorldError};

use super::nodes::NodeKeeper;

/// A loop under way.
pub(super) struct Crashing {
    /// Ends it; the services run then.
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<Result<(), WorldError>>,
}

/// Kills and starts until it is told to stop.
pub(super) async fn crash_loop(
    keeper: Weak<NodeKeeper>,
    node: String,
    every: Span,
    restart: Span,
    stop: CancellationToken,
) -> Result<(), WorldError> {
    let gone = || WorldError::Failed("the run is over".into());
    let rest = every.duration().saturating_sub(restart.duration());
    loop {
        keeper.upgrade().ok_or_else(gone)?.crash(&node).await?;
        wait(&stop, restart.duration()).await;
        keeper.upgrade().ok_or_else(gone)?.start(&node).await?;
        if !wait(&stop, rest).await {
            return Ok(());
        }
    }
}

/// False when it was told to stop first.
async fn wait(stop: &CancellationToken, time: std::time::Duration) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

impl NodeKeeper {
    /// Kills the services of a node, whose kernel lives on.
    async fn crash(self: &Arc<Self>, node: &str) -> Result<(), WorldError> {
        let kept = self.kept(node)?;
        let _busy = kept.busy.lock().await;
        if !kept.lock().up {
            return Ok(());
        }
        self.world.kill(node).await
    }

    /// Starts the services of a node that were killed.
    async fn start(self: &Arc<Self>, node: &str) -> Result<(), WorldError> {
        let kept = self.kept(node)?;
        let _busy = kept.busy.lock().await;
        let boots = {
            let state = kept.lock();
            if !state.up {
                return Ok(());
            }
            state.boots
        };
        // Power may have gone and come back meanwhile, and the services with it.
        if self.world.state(node).await? != NodeState::Empty {
            return Ok(());
        }
        let boot = boots.saturating_sub(1);
        self.world.restart(&kept.spec, boot).await
    }
}
