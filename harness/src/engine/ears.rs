//! What the world reports, put where it belongs.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use ridethrough_faults::Asked;
use ridethrough_targets::service::FromService;
use ridethrough_targets::world::WorldEvent;

use super::desk::Desk;
use super::power::{Order, PowerGrid};
use super::readiness::Readiness;
use super::recorder::Recorder;
use super::triggers::Triggers;
use crate::load::{LedgerWord, Rehearsed};
use crate::record::Body;

/// Listens to a world until it has nothing more to say.
pub(crate) struct Ears {
    pub(crate) recorder: Recorder,
    pub(crate) grid: PowerGrid,
    pub(crate) readiness: Arc<Readiness>,
    /// Where questions to devices wait for their answers.
    pub(crate) desk: Arc<Desk>,
    /// Where faults wait for their occasions.
    pub(crate) triggers: Arc<Triggers>,
    /// Hears what fault-free passes came to.
    pub(crate) rehearsed: mpsc::UnboundedSender<Rehearsed>,
    /// Counts the loads that are done.
    pub(crate) loads_done: watch::Sender<usize>,
    /// Ends the run.
    pub(crate) halt: CancellationToken,
    /// The last numbers of each node: the same ones are not recorded again.
    pub(crate) progress: IndexMap<String, IndexMap<String, f64>>,
}

impl Ears {
    pub(crate) async fn listen(mut self, mut events: mpsc::UnboundedReceiver<WorldEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                WorldEvent::Said {
                    node,
                    service,
                    word,
                } => self.said(&node, &service, word),
                WorldEvent::Halted { reason } => {
                    self.recorder.now("engine", Body::Invalid { reason });
                    self.halt.cancel();
                }
                WorldEvent::Exited {
                    node,
                    service,
                    how,
                    tail,
                } => {
                    let last = tail.lines().last().unwrap_or("no log").to_string();
                    self.readiness
                        .gone(&node, &service, format!("ended: {how} ({last})"));
                    let body = Body::ServiceExited {
                        node: node.clone(),
                        service,
                        how,
                        tail,
                    };
                    self.recorder.now(&node, body);
                }
            }
        }
    }

    fn said(&mut self, node: &str, service: &str, word: FromService) {
        match word {
            FromService::Ready { t_us } => {
                self.readiness.ready(node, service);
                self.triggers.greet(node, service);
                self.grid.greet(node);
                let body = Body::ServiceReady {
                    node: node.into(),
                    service: service.into(),
                };
                self.recorder.at(t_us, node, body);
            }
            FromService::Draw(draw) => self.grid.draw(node, &draw),
            FromService::State {
                t_us,
                of,
                from,
                to,
                cause,
            } => {
                self.triggers.moved(&of, &to, t_us);
                if of.starts_with("door:") && to == "open" {
                    self.readiness.ready(&of, "");
                }
                self.recorder.at(
                    t_us,
                    node,
                    Body::State {
                        of,
                        from,
                        to,
                        cause,
                    },
                );
            }
            FromService::Attempt(attempt) => {
                self.recorder
                    .at(attempt.end_us, node, Body::Attempt(attempt));
            }
            FromService::Observed {
                t_us,
                via,
                device,
                variable,
                value,
            } => {
                self.recorder.at(
                    t_us,
                    node,
                    Body::Observed {
                        via,
                        device,
                        variable,
                        value,
                    },
                );
            }
            FromService::Ledger(value) => self.ledger(node, value),
            FromService::Progress(values) => {
                if self.progress.get(node) != Some(&values) {
                    self.progress.insert(node.into(), values.clone());
                    self.recorder.now(node, Body::Progress { values });
                }
            }
            FromService::Command {
                ticket,
                device,
                command,
                ..
            } => self.grid.order(Order {
                node: node.into(),
                ticket,
                device,
                command,
            }),
            FromService::Asked {
                t_us,
                ticket,
                took,
                seen,
            } => self.desk.answered(ticket, Asked { t_us, took, seen }),
            FromService::Reached { t_us, ticket } => self.triggers.reached(ticket, t_us),
            FromService::Failed { error } => {
                self.readiness
                    .gone(node, service, format!("gave up: {error}"));
                self.recorder.now(
                    node,
                    Body::Note {
                        text: format!("{service} gave up: {error}"),
                    },
                );
            }
        }
    }

    fn ledger(&self, node: &str, value: serde_json::Value) {
        match serde_json::from_value(value) {
            Ok(LedgerWord::Row(row)) => self.recorder.at(row.end_us, node, Body::Request(row)),
            Ok(LedgerWord::Write(row)) => self.recorder.at(row.end_us, node, Body::Write(row)),
            Ok(LedgerWord::Rehearsed(rehearsed)) => {
                let _ = self.rehearsed.send(rehearsed);
            }
            Ok(LedgerWord::ReadBack(found)) => {
                self.recorder.now(node, Body::ReadBack(found));
                self.loads_done.send_modify(|done| *done += 1);
            }
            Ok(LedgerWord::LoadDone {
                load,
                planned,
                sent,
                lag_p99_us,
                mixed,
                ..
            }) => {
                if mixed {
                    let reason =
                        format!("the streams of {load} did not all end alike in the baseline");
                    self.recorder.now("engine", Body::Invalid { reason });
                }
                self.recorder.now(
                    node,
                    Body::LoadDone {
                        load,
                        planned,
                        sent,
                        lag_p99_us,
                    },
                );
                self.loads_done.send_modify(|done| *done += 1);
            }
            Err(error) => {
                let reason = format!("the ledger has a row that cannot be read: {error}");
                self.recorder.now("engine", Body::Invalid { reason });
            }
        }
    }
}
