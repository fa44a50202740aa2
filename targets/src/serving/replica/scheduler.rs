//! Continuous batching on a clockwork accelerator.
//!
//! Two clocks of work run beside real time: prefill at the accelerator's ratio,
//! decode at that ratio divided by what the batch costs. Each request waits for
//! its own reading of one of them, so a change of batch or of clocks takes
//! effect at once, in the middle of a token.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::metrics::Metrics;
use crate::clock::Clock;
use crate::service::{Draw, FromService};
use crate::serving::config::ReplicaConfig;

/// Work nearer than this counts as done: timers are coarser.
const EPSILON_S: f64 = 1e-6;
/// Shortest time between two words about the draw.
const DRAW_GAP: Duration = Duration::from_millis(50);

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

/// What is asked of the accelerator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) prompt_tokens: u32,
    pub(super) count: u32,
    /// A health probe: beside the slots, and not part of the load.
    pub(super) probe: bool,
}

struct Running {
    job: Job,
    done: u32,
    prefilled: bool,
    due: f64,
    /// When its last token was made, by the clock of elapsed time.
    made: f64,
    /// When its present phase began.
    since: Instant,
    progress: watch::Sender<u32>,
}

struct Waiting {
    id: u64,
    job: Job,
    since: Instant,
    progress: watch::Sender<u32>,
}

struct State {
    last: Instant,
    clocks: f64,
    /// Readings of the two clocks of work, in seconds.
    prefill: f64,
    decode: f64,
    /// Seconds elapsed, and how many of them the last decode step took.
    elapsed: f64,
    last_step: f64,
    next_id: u64,
    running: BTreeMap<u64, Running>,
    prefill_due: BTreeSet<(u64, u64)>,
    decode_due: BTreeSet<(u64, u64)>,
    queue: VecDeque<Waiting>,
    /// Running requests that are no probes.
    load: usize,
    /// Who waits for how many requests in prefill.
    awaited: Vec<(u64, u32)>,
}

/// The accelerator and its queue.
pub(super) struct Scheduler {
    config: ReplicaConfig,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    changed: Notify,
}

/// A place in the batch or in the queue; dropping it gives it up.
pub(super) struct Ticket {
    id: u64,
    scheduler: Arc<Scheduler>,
    /// Tokens made so far.
    pub(super) progress: watch::Receiver<u32>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.scheduler.lock();
        self.scheduler.advance(&mut state, Instant::now());
        state.queue.retain(|waiting| waiting.id != self.id);
        self.scheduler.remove(&mut state, self.id);
        drop(state);
        self.scheduler.changed.notify_one();
    }
}

impl Scheduler {
    pub(super) fn new(config: ReplicaConfig, metrics: Arc<Metrics>) -> Self {
        Self {
            config,
            metrics,
            state: Mutex::new(State {
                last: Instant::now(),
                clocks: 1.0,
                prefill: 0.0,
                decode: 0.0,
                elapsed: 0.0,
                last_step: 0.0,
                next_id: 0,
                running: BTreeMap::new(),
                prefill_due: BTreeSet::new(),
                decode_due: BTreeSet::new(),
                queue: VecDeque::new(),
                load: 0,
                awaited: Vec::new(),
            }),
            changed: Notify::new(),
        }
    }

    /// Takes a job into the batch or the queue.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<Ticket, QueueFull> {
        let (sender, progress) = watch::channel(0);
        let mut state = self.lock();
        let since = Instant::now();
        self.advance(&mut state, since);
        let id = state.next_id;
        state.next_id += 1;
        let waiting = Waiting {
            id,
            job,
            since,
            progress: sender,
        };
        if job.probe || state.load < self.config.slots as usize {
            self.start(&mut state, waiting);
        } else if state.queue.len() < self.config.queue as usize {
            state.queue.push_back(waiting);
        } else {
            return Err(QueueFull);
        }
        drop(state);
        self.changed.notify_one();
        Ok(Ticket {
            id,
            scheduler: Arc::clone(self),
            progress,
        })
    }

    /// Sets the accelerator's clocks as a share of nominal; 0 stops it.
    pub(super) fn set_clocks(&self, ratio: f64) {
        let mut state = self.lock();
        self.advance(&mut state, Instant::now());
        state.clocks = if ratio.is_finite() {
            ratio.max(0.0)
        } else {
            1.0
        };
        drop(state);
        self.changed.notify_one();
    }

    /// Tells once when so many requests are in prefill.
    pub(super) fn tell_prefill(&self, ticket: u64, at_least: u32) {
        self.lock().awaited.push((ticket, at_least));
        self.changed.notify_one();
    }

    /// Who waited for what is so now.
    fn reached(state: &mut State) -> Vec<u64> {
        if state.awaited.is_empty() {
            return Vec::new();
        }
        let all = state.running.values();
        let prefilling = all.filter(|r| !r.prefilled && !r.job.probe).count() as u32;
        let awaited = std::mem::take(&mut state.awaited);
        let (met, rest): (Vec<_>, Vec<_>) =
            awaited.into_iter().partition(|(_, n)| prefilling >= *n);
        state.awaited = rest;
        met.into_iter().map(|(ticket, _)| ticket).collect()
    }

    /// Requests running and waiting.
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.load, state.queue.len())
    }

    /// Runs the accelerator for as long as it is polled, and says what it draws.
    pub(super) async fn run(&self, clock: Clock, voice: mpsc::UnboundedSender<FromService>) {
        let mut said = (f64::NAN, f64::NAN, 0);
        let mut quiet_until = Instant::now();
        loop {
            let now = Instant::now();
            let (due, draw, step_ms) = {
                let mut state = self.lock();
                self.advance(&mut state, now);
                for ticket in Self::reached(&mut state) {
                    let t_us = clock.at(now);
                    let _ = voice.send(FromService::Reached { t_us, ticket });
                }
                let (busy, rate) = self.draw(&state);
                let step_ms = if rate > 0.0 {
                    state.last_step * 1e3
                } else {
                    0.0
                };
                (
                    self.next_due(&state),
                    (busy, rate, step_ms.round() as u64),
                    step_ms,
                )
            };
            let mut wake = due;
            if draw != said {
                if now >= quiet_until {
                    said = draw;
                    quiet_until = now + DRAW_GAP;
                    let _ = voice.send(FromService::Draw(Draw {
                        t_us: clock.at(now),
                        utilisation: draw.0,
                        tokens_per_s: draw.1,
                        step_ms,
                    }));
                } else {
                    wake = Some(wake.map_or(quiet_until, |wake| wake.min(quiet_until)));
                }
            }
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }

    /// How fast the clock of decode work runs.
    fn decode_speed(&self, state: &State) -> f64 {
        let further = state.load.saturating_sub(1) as f64;
        state.clocks / (1.0 + self.config.decode_slope.0 * further)
    }

    /// Busy share of the accelerator, and tokens per second.
    fn draw(&self, state: &State) -> (f64, f64) {
        let busy = (state.load as f64 / f64::from(self.config.slots.max(1))).min(1.0);
        let decoding = state
            .running
            .values()
            .filter(|r| r.prefilled && !r.job.probe)
            .count();
        let step_s = self.config.decode.secs_f64().max(EPSILON_S);
        let rate = decoding as f64 * self.decode_speed(state) / step_s;
        ((busy * state.clocks).min(1.0), rate)
    }

    /// Seconds until the next piece of work is done, and whose it is.
    fn next(&self, state: &State) -> Option<(f64, u64)> {
        let until = |due: Option<&(u64, u64)>, clock: f64, speed: f64| {
            let (due, id) = due?;
            (speed > 0.0).then(|| ((f64::from_bits(*due) - clock).max(0.0) / speed, *id))
        };
        let prefill = until(state.prefill_due.first(), state.prefill, state.clocks);
        let decode = until(
            state.decode_due.first(),
            state.decode,
            self.decode_speed(state),
        );
        match (prefill, decode) {
            (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    fn next_due(&self, state: &State) -> Option<Instant> {
        let (seconds, _) = self.next(state)?;
        // Beyond a day it is not worth a timer.
        Some(state.last + Duration::from_secs_f64(seconds.min(86_400.0)))
    }

    /// Brings the work up to `now`, one finished piece after another.
    fn advance(&self, state: &mut State, now: Instant) {
        let mut left = now.saturating_duration_since(state.last).as_secs_f64();
        state.last = state.last.max(now);
        while let Some((seconds, id)) = self.next(state) {
            if seconds > left + EPSILON_S {
                break;
            }
            self.elapse(state, seconds);
            left = (left - seconds).max(0.0);
            self.step(state, id);
        }
        self.elapse(state, left);
    }

    fn elapse(&self, state: &mut State, seconds: f64) {
        state.elapsed += seconds;
        state.prefill += seconds * state.clocks;
        state.decode += seconds * self.decode_speed(state);
    }

    /// One token of one request is made.
    fn step(&self, state: &mut State, id: u64) {
        let (decode, elapsed) = (state.decode, state.elapsed);
        let Some(running) = state.running.get_mut(&id) else {
            return;
        };
        let old = (running.due.to_bits(), id);
        let from = if running.prefilled {
            running.due
        } else {
            decode
        };
        running.done += 1;
        running.progress.send_replace(running.done);
        let finished = running.done >= running.job.count;
        let was_prefilled = std::mem::replace(&mut running.prefilled, true);
        if was_prefilled && !running.job.probe {
            state.last_step = elapsed - running.made;
        }
        running.made = elapsed;
        if !running.job.probe && (finished || !was_prefilled) {
            let spent = state.last.saturating_duration_since(running.since);
            running.since = state.last;
            let phase = if was_prefilled {
                &self.metrics.decode
            } else {
                &self.metrics.prefill
            };
            phase.observe(spent);
        }
        // At least a microsecond of work, so that time always moves.
        running.due = from + self.config.decode.secs_f64().max(2.0 * EPSILON_S);
        let new = (running.due.to_bits(), id);
        if was_prefilled {
            state.decode_due.remove(&old);
        } else {
            state.prefill_due.remove(&old);
        }
        state.decode_due.insert(new);
        if finished {
            self.remove(state, id);
        }
    }

    fn start(&self, state: &mut State, waiting: Waiting) {
        let Waiting {
            id,
            job,
            since,
            progress,
        } = waiting;
        let now = state.last;
        if !job.probe {
            self.metrics
                .queued
                .observe(now.saturating_duration_since(since));
        }
        let work = if job.probe {
            // A probe asks whether a step gets through, not what a prompt costs.
            self.config.decode.secs_f64()
        } else {
            self.config.prefill_base.secs_f64()
                + self.config.prefill_per_token.secs_f64() * f64::from(job.prompt_tokens)
        };
        let due = state.prefill + work;
        state.prefill_due.insert((due.to_bits(), id));
        state.load += usize::from(!job.probe);
        let running = Running {
            job,
            done: 0,
            prefilled: false,
            due,
            made: state.elapsed,
            since: now,
            progress,
        };
        state.running.insert(id, running);
    }

    /// Takes a request out of the batch and lets the next one in.
    fn remove(&self, state: &mut State, id: u64) {
        let Some(gone) = state.running.remove(&id) else {
            return;
        };
        let entry = (gone.due.to_bits(), id);
        state.prefill_due.remove(&entry);
        state.decode_due.remove(&entry);
        state.load -= usize::from(!gone.job.probe);
        while state.load < self.config.slots as usize
            && let Some(waiting) = state.queue.pop_front()
        {
            self.start(state, waiting);
        }
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
