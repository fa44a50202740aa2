//! Where commands arrive, from wherever they were typed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ridethrough_targets::emulator::Emulator;
use ridethrough_targets::plant::Site;
use ridethrough_targets::telemetry::DeviceCommand;

use super::diagram::diagram;
use super::words::{HELP, Word, parse};

/// The desk of one site.
#[derive(Clone)]
pub(super) struct Desk {
    emulator: Emulator,
    site: Arc<Site>,
    /// Distortions so far; each has a number of its own.
    distortions: Arc<AtomicU64>,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A text to show; empty when there is nothing to say.
    Text(String),
    /// The site shall end.
    Quit,
}

impl Desk {
    pub(super) fn new(emulator: Emulator, site: Arc<Site>) -> Self {
        Self {
            emulator,
            site,
            distortions: Arc::default(),
        }
    }

    /// Does what a line says.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) async fn say(&self, line: &str) -> Result<Said, String> {
        let text = match parse(line, &self.site)? {
            Word::Empty => String::new(),
            Word::Help => HELP.to_string(),
            Word::Status => diagram(self.emulator.board()),
            Word::Quit => return Ok(Said::Quit),
            Word::Act(actions) => {
                for action in actions {
                    self.emulator.act(action).await;
                }
                "done".into()
            }
            Word::Tell(device, command) => self.tell(&device, command).await?,
            Word::Distort(distorted) => {
                for device in &distorted.devices {
                    if self.emulator.board().identity(device).is_none() {
                        return Err(format!("no device or protocol `{device}`"));
                    }
                }
                let number = self.distortions.fetch_add(1, Ordering::Relaxed);
                self.emulator.board().distort(number, distorted);
                "telemetry fails; `telemetry clear` ends it".into()
            }
            Word::Clear => {
                for number in 0..self.distortions.load(Ordering::Relaxed) {
                    self.emulator.board().restore(number);
                }
                "telemetry tells the truth".into()
            }
        };
        Ok(Said::Text(text))
    }

    /// `on`, `off` and `free` are words that several kinds of devices know.
    async fn tell(&self, device: &str, command: DeviceCommand) -> Result<String, String> {
        let board = self.emulator.board();
        let kind = board.identity(device).map(|identity| identity.kind.clone());
        let command = match (kind.as_deref(), command) {
            (Some("machine"), DeviceCommand::Output { on }) => DeviceCommand::Machine { on },
            (Some("bess"), DeviceCommand::Limit { watts: None }) => {
                DeviceCommand::Power { watts: None }
            }
            (Some("cooling"), DeviceCommand::Reset) => DeviceCommand::Restart,
            (_, command) => command,
        };
        let outcome = board.command(device, command).await;
        outcome.map(|()| "done".into()).map_err(|e| e.to_string())
    }
}
