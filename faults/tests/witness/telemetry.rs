//! Agents for the ground of these tests: they show what the board shows, without
//! a network between.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Instant, sleep};

use ridethrough_faults::Asked;
use ridethrough_targets::clock::Clock;
use ridethrough_targets::supervisor::ask::points;
use ridethrough_targets::telemetry::{Answer, Board, Identity, Protocol, Reading, Seen};
use ridethrough_targets::units::Span;

/// The agents of every device that a telemetry fault of these tests is in.
pub(crate) struct Agents {
    pub(crate) board: Board,
    told: Mutex<BTreeMap<String, Reading>>,
}

impl Agents {
    pub(crate) fn new(clock: Clock) -> Self {
        let devices = vec![Identity::new("ups-a", "ups", "")];
        Self {
            board: Board::new(clock, devices).0,
            told: Mutex::default(),
        }
    }

    /// Tells a device's card what its meters read, where they moved; returns
    /// what it was told last.
    pub(crate) fn told(&self, device: &str, reading: Reading) -> Reading {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.get(device);
        if before.is_none_or(|before| reading.moved_from(before)) {
            self.board.publish([(device.to_string(), reading.clone())]);
            told.insert(device.to_string(), reading);
        }
        told[device].clone()
    }

    /// Asks a device.
    pub(crate) async fn ask(
        &self,
        device: &str,
        reading: Option<Reading>,
        via: Protocol,
        wait: Span,
    ) -> Asked {
        let began = Instant::now();
        let kind = reading.map_or("", |reading| reading.kind());
        let mut answer = match self.board.silent(via) {
            true => Some(Answer::Silence),
            false => self.board.ask(via, device).await,
        };
        if began.elapsed() >= wait.duration() {
            answer = Some(Answer::Silence);
        }
        let seen = match answer {
            Some(Answer::Reading(reading)) => {
                let points = points(via, kind).iter();
                let values = points.filter_map(|p| Some((p.field.to_string(), p.of(&reading)?)));
                Seen::Values(values.collect())
            }
            Some(Answer::Stale) => Seen::Stale,
            Some(Answer::Silence) => {
                sleep(wait.duration().saturating_sub(began.elapsed())).await;
                Seen::Silent
            }
            None => Seen::Refused("no such device".into()),
        };
        Asked {
            t_us: self.board.clock().now_us(),
            took: Span::from_micros(began.elapsed().as_micros() as u64),
            seen,
        }
    }
}
