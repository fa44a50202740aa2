//! The load as a service of a client node.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use hyper::header::HeaderValue;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::{
    Env, FromService, Milestone, Notice, Panel, ServiceError, ToService, spawn_in,
};

use super::client::Target;
use super::dialect::{Dialect, Learner};
use super::exchange::{Shared, exchange};
use super::expected::Book;
use super::fate::Group;
use super::milestones::Milestones;
use super::recorded::Library;
use super::schedule::{Planned, draw};
use super::stats::{Stats, histogram};
use super::words::{LedgerWord, LoadConfig};
use crate::playbook::{LoadSpec, OracleSpec};

/// Time between two progress lines.
const PROGRESS: Duration = Duration::from_millis(500);
/// Longest wait, after the end, for open requests to give their rows: they only
/// have to notice that it is over.
const LAST_ROWS: Duration = Duration::from_secs(10);

/// One load, ready to run.
struct Load {
    shared: Arc<Shared>,
    schedule: Vec<Planned>,
    start_us: Micros,
    /// Turns true when nothing more is to be sent.
    closed: Arc<Notice<bool>>,
    /// What is due then or later is not part of the run; the largest where nobody
    /// has said so.
    over_us: Arc<AtomicU64>,
    voice: mpsc::UnboundedSender<FromService>,
}

/// Runs every load of `config` and says a row for each request that was sent,
/// then a last word for each load. Requests are sent when their schedule says
/// so, whatever became of earlier ones.
///
/// # Errors
/// [`ServiceError::Config`] where a schedule cannot be drawn, or names cannot
/// tell requests apart.
pub async fn run_load(env: Env, config: LoadConfig) -> Result<(), ServiceError> {
    let Env {
        net,
        clock,
        seed,
        mut panel,
        ..
    } = env;
    let seed = config.seed.unwrap_or(seed);
    let stats = Arc::new(Stats::default());
    let milestones = Arc::new(Milestones::new(panel.voice()));
    let learner = new_learner(&config, config.dialect);
    let closed = Arc::new(Notice::new(false));
    let ended = Arc::new(Notice::new(false));
    let over_us = Arc::new(AtomicU64::new(Micros::MAX));
    let target = Target {
        net,
        clock,
        host: config.target_host.clone(),
        port: config.target_port,
    };
    check(&config)?;
    let mut loads = Vec::with_capacity(config.loads.len());
    for spec in &config.loads {
        let (book, learner) = known(spec, &config, &learner);
        let schedule = draw(spec, seed, config.duration.micros())
            .map_err(|error| ServiceError::Config(error.to_string()))?;
        loads.push(Load {
            shared: Arc::new(Shared {
                target: target.clone(),
                spec: spec.clone(),
                model: spec.model.as_ref().unwrap_or(&config.model).clone(),
                stats: Arc::clone(&stats),
                milestones: Arc::clone(&milestones),
                learner,
                book,
                ended: Arc::clone(&ended),
            }),
            schedule,
            start_us: config.start_us,
            closed: Arc::clone(&closed),
            over_us: Arc::clone(&over_us),
            voice: panel.voice(),
        });
    }
    panel.say(FromService::Ready {
        t_us: clock.now_us(),
    });
    let mut running = JoinSet::new();
    for load in loads {
        spawn_in(&mut running, load.run());
    }
    let last_us = config
        .start_us
        .saturating_add(config.duration.micros())
        .saturating_add(config.drain.micros());
    watch_over(
        &mut panel,
        (&stats, &milestones),
        &mut running,
        clock.instant(last_us),
        |at_us| {
            over_us.store(at_us, Ordering::Release);
            closed.set(true);
            clock.instant(at_us.saturating_add(config.drain.micros()))
        },
        || clock.now_us(),
    )
    .await;
    closed.set(true);
    ended.set(true);
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_ROWS, all).await.is_err() {
        tracing::error!("requests did not end with the run");
    }
    panel.say(FromService::Progress(stats.progress(clock.now_us())));
    Ok(())
}

fn new_learner(config: &LoadConfig, dialect: Option<Dialect>) -> Arc<Mutex<Learner>> {
    Arc::new(Mutex::new(Learner::new(dialect, config.learn_from)))
}

/// What the answers to a load are held against, and who knows how they end: what
/// is learned from the reference's answers holds for the reference's alone.
fn known(
    spec: &LoadSpec,
    config: &LoadConfig,
    reference: &Arc<Mutex<Learner>>,
) -> (Book, Arc<Mutex<Learner>>) {
    let rehearsed = config.rehearsed.get(&spec.name);
    let book = match (&spec.oracle, rehearsed) {
        (None | Some(OracleSpec::Reference), _) => return (Book::Reference, Arc::clone(reference)),
        (Some(OracleSpec::Recorded(_)), Some(rehearsed)) if rehearsed.differing.is_empty() => {
            Book::Recorded(Arc::new(Library::new(&rehearsed.answers)))
        }
        _ => Book::Structure,
    };
    let dialect = rehearsed.and_then(|rehearsed| rehearsed.dialect);
    (book, new_learner(config, dialect.or(config.dialect)))
}

/// Names go into headers, and tell the requests of two loads apart.
fn check(config: &LoadConfig) -> Result<(), ServiceError> {
    let mut names = BTreeSet::new();
    for load in &config.loads {
        if !names.insert(&load.name) {
            let what = format!("two loads named {:?}", load.name);
            return Err(ServiceError::Config(what));
        }
        for text in [&load.name, &load.class] {
            if HeaderValue::from_str(text).is_err() {
                let what = format!("{text:?} cannot stand in an HTTP header");
                return Err(ServiceError::Config(what));
            }
        }
    }
    Ok(())
}

/// Says progress until the loads are over, the drain is, or the machine says
/// stop.
async fn watch_over(
    panel: &mut Panel,
    (stats, milestones): (&Stats, &Milestones),
    running: &mut JoinSet<()>,
    mut until: Instant,
    close: impl Fn(Micros) -> Instant,
    now_us: impl Fn() -> Micros,
) {
    let mut ticks = interval_at(Instant::now() + PROGRESS, PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            word = panel.inbox.recv() => {
                match word {
                    // A panel without a machine behind it has nobody to tell.
                    None | Some(ToService::Stop) => return,
                    Some(ToService::Await {
                        ticket,
                        milestone: Milestone::Token { count },
                    }) => milestones.wait(ticket, count),
                    Some(ToService::Close { at_us }) => until = close(at_us),
                    Some(_) => {}
                }
            }
            over = running.join_next() => {
                if over.is_none() {
                    return;
                }
            }
            () = sleep_until(until) => return,
            _ = ticks.tick() => panel.say(FromService::Progress(stats.progress(now_us()))),
        }
    }
}

impl Load {
    async fn run(self) {
        let clock = self.shared.target.clock;
        let mut lag = histogram();
        let mut sent = 0u32;
        let mut requests = JoinSet::new();
        for (index, planned) in self.schedule.iter().enumerate() {
            let due = self.start_us.saturating_add(planned.at_us);
            let told = tokio::select! {
                biased;
                _ = self.closed.wait_for(|over| over) => true,
                () = sleep_until(clock.instant(due)) => false,
            };
            if told {
                // Closed at a time, what is due before it is still sent.
                if self.over_us() == Micros::MAX || !self.is_planned(planned) {
                    break;
                }
                sleep_until(clock.instant(due)).await;
            }
            lag.saturating_record(clock.now_us().saturating_sub(due));
            self.shared.stats.sent();
            sent += 1;
            let request = one(
                Arc::clone(&self.shared),
                self.voice.clone(),
                index,
                *planned,
                due,
            );
            spawn_in(&mut requests, request);
            // Finished tasks are let go as we go: nothing may pile up.
            while let Some(over) = requests.try_join_next() {
                heed(over);
            }
        }
        while let Some(over) = requests.join_next().await {
            heed(over);
        }
        self.last_word(sent, &lag);
    }

    /// Due before the timeline is over, as far as that is known.
    fn is_planned(&self, planned: &Planned) -> bool {
        self.start_us.saturating_add(planned.at_us) < self.over_us()
    }

    fn over_us(&self) -> Micros {
        self.over_us.load(Ordering::Acquire)
    }

    fn last_word(&self, sent: u32, lag: &Histogram<u64>) {
        let learner = self
            .shared
            .learner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let word = LedgerWord::LoadDone {
            load: self.shared.spec.name.clone(),
            // The schedule is in order of time.
            planned: self.schedule.partition_point(|p| self.is_planned(p)) as u32,
            sent,
            lag_p99_us: lag.value_at_quantile(0.99),
            dialect: learner.pinned(),
            mixed: learner.mixed(),
        };
        let _ = self.voice.send(FromService::Ledger(word.to_value()));
    }
}

/// A request without a row would be a request without a fate: it is never let
/// go in silence.
fn heed(over: Result<(), JoinError>) {
    if let Err(error) = over {
        tracing::error!(%error, "a request ended without a row");
    }
}

/// One request, to its row.
async fn one(
    shared: Arc<Shared>,
    voice: mpsc::UnboundedSender<FromService>,
    index: usize,
    planned: Planned,
    due: Micros,
) {
    let row = exchange(Arc::clone(&shared), index, planned, due).await;
    shared.stats.ended(row.group() != Group::Whole);
    let _ = voice.send(FromService::Ledger(LedgerWord::Row(row).to_value()));
}

#[cfg(test)]
mod tests;
