//! What an agent keeps of its own for a device: what clients have set, and the
//! countdowns that they have started (RFC 1628, section 2.8).

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use super::agent::Agent;
use super::selftest::{self, SelfTest};
use crate::telemetry::{DeviceCommand, Identity};

/// A countdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// `upsShutdownAfterDelay`: the output goes off.
    Shutdown,
    /// `upsStartupAfterDelay`: the output goes on.
    Startup,
    /// `upsRebootWithDuration`: the output, now off, goes on again.
    Reboot,
    /// An outlet of a PDU, now off, goes on again.
    Outlet(usize),
    /// A test of the UPS comes to its end.
    Test,
}

impl Timer {
    /// The order that it ends with.
    fn command(self) -> Option<DeviceCommand> {
        Some(match self {
            Self::Test => return None,
            Self::Shutdown => DeviceCommand::Output { on: false },
            Self::Startup | Self::Reboot => DeviceCommand::Output { on: true },
            Self::Outlet(index) => DeviceCommand::Outlet { index, on: true },
        })
    }
}

/// What the agent keeps for a device.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Grows with every change.
    pub(super) version: u64,
    pub(super) contact: String,
    pub(super) sys_name: String,
    pub(super) location: String,
    pub(super) name: String,
    pub(super) attached: String,
    pub(super) audible: u8,
    pub(super) auto_restart: u8,
    pub(super) shutdown_type: u8,
    pub(super) spin_lock: i64,
    pub(super) test: SelfTest,
    /// Seconds between a graceful order to go off and the end.
    pub(super) shutdown_delay_s: u32,
    /// The output is off because a client asked for it.
    pub(super) off_requested: bool,
    /// When each countdown ends, in the agent's uptime.
    pub(super) timers: BTreeMap<Timer, u64>,
}

impl Own {
    pub(super) fn new(identity: &Identity, contact: &str, location: &str) -> Self {
        Self {
            version: 0,
            contact: contact.into(),
            sys_name: identity.name.clone(),
            location: location.into(),
            name: identity.name.clone(),
            attached: identity.feeds.join(","),
            audible: 2,
            auto_restart: 1,
            shutdown_type: 1,
            spin_lock: 0,
            test: SelfTest::none(),
            shutdown_delay_s: 20,
            off_requested: false,
            timers: BTreeMap::new(),
        }
    }

    /// A countdown to the end of the output is under way.
    pub(super) fn shutdown_pending(&self) -> bool {
        self.timers.contains_key(&Timer::Shutdown)
    }

    /// An order was carried out.
    pub(super) fn obeyed(&mut self, command: &DeviceCommand) {
        if let DeviceCommand::Output { on } = command {
            self.off_requested = !on;
            self.version += 1;
        }
    }
}

/// Ends countdowns until it is dropped.
pub(super) async fn run(agent: &Agent) {
    loop {
        let moved = agent.timers_moved.notified();
        tokio::pin!(moved);
        moved.as_mut().enable();
        for (device, timer) in agent.take_due() {
            let Some(command) = timer.command() else {
                selftest::over(agent, &device);
                continue;
            };
            match agent.order(&device, command).await {
                Ok(()) => tracing::debug!(device, ?timer, "a countdown ended"),
                Err(error) => tracing::warn!(device, ?timer, %error, "a countdown ended in vain"),
            }
        }
        match agent.next_due() {
            Some(wait) => {
                tokio::select! {
                    () = &mut moved => {}
                    () = sleep(wait.max(Duration::from_millis(1))) => {}
                }
            }
            None => moved.await,
        }
    }
}
