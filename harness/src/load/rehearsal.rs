//! The fault-free pass: every prompt of a load is asked twice, as densely as the
//! load will ask, before anything breaks. It is a service of the clients' node.

mod outcome;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::{Env, FromService, ServiceError, ToService, spawn_in};

use super::client::{Ask, Attempted, Target};
use super::expected::Expected;
use super::prompt::prepare;
use super::schedule::{Planned, draw, prompts};
use super::words::{LedgerWord, LoadConfig};
use crate::playbook::{LoadSpec, OracleSpec, RecordedSpec};
pub use outcome::{Differing, RecordedAnswer, Rehearsed};
pub(super) use outcome::{Heard, outcome};

/// Each prompt is asked so often.
const PASSES: u32 = 2;
/// The pass of a load that asks less often than this allows asks faster.
const MOST_SENDING_US: Micros = 30_000_000;

/// One load to rehearse.
struct Rehearsal {
    target: Target,
    spec: LoadSpec,
    recorded: RecordedSpec,
    model: String,
    prompts: Vec<Planned>,
    /// When each prompt is asked, the first pass before the second.
    due_us: Vec<Micros>,
    config: Arc<LoadConfig>,
    voice: mpsc::UnboundedSender<FromService>,
}

/// Asks every prompt of every load whose answers are to be recorded, all loads
/// at once, says what came of it, and waits for the end.
///
/// # Errors
/// [`ServiceError::Config`] where a schedule cannot be drawn.
pub async fn run_rehearsal(mut env: Env, config: LoadConfig) -> Result<(), ServiceError> {
    let seed = config.seed.unwrap_or(env.seed);
    let target = Target {
        net: Arc::clone(&env.net),
        clock: env.clock,
        host: config.target_host.clone(),
        port: config.target_port,
    };
    let config = Arc::new(config);
    let mut all = Vec::new();
    for spec in &config.loads {
        let Some(OracleSpec::Recorded(recorded)) = spec.oracle else {
            continue;
        };
        all.push(Rehearsal {
            target: target.clone(),
            prompts: prompts(spec, seed),
            due_us: due(spec, recorded, seed)?,
            recorded,
            model: spec.model.as_ref().unwrap_or(&config.model).clone(),
            spec: spec.clone(),
            config: Arc::clone(&config),
            voice: env.panel.voice(),
        });
    }
    let passes = join_all(all.into_iter().map(Rehearsal::run));
    tokio::select! {
        biased;
        () = stopped(&mut env.panel.inbox) => return Ok(()),
        _ = passes => {}
    }
    stopped(&mut env.panel.inbox).await;
    Ok(())
}

async fn stopped(inbox: &mut mpsc::UnboundedReceiver<ToService>) {
    while let Some(word) = inbox.recv().await {
        if word == ToService::Stop {
            return;
        }
    }
}

/// When the requests of a pass are sent: as the load's own are, so that the
/// stack is as busy as it will be. Only a load that hardly ever asks is hurried.
fn due(spec: &LoadSpec, recorded: RecordedSpec, seed: u64) -> Result<Vec<Micros>, ServiceError> {
    let wanted = (recorded.prompts * PASSES) as usize;
    let mut span_us: Micros = 1_000_000;
    let times = loop {
        let planned =
            draw(spec, seed, span_us).map_err(|error| ServiceError::Config(error.to_string()))?;
        if planned.len() >= wanted {
            break planned;
        }
        span_us = span_us.saturating_mul(2);
    };
    let mut due: Vec<Micros> = times.iter().take(wanted).map(|p| p.at_us).collect();
    let last = due.last().copied().unwrap_or(0);
    if last > MOST_SENDING_US {
        for at in &mut due {
            *at = (u128::from(*at) * u128::from(MOST_SENDING_US) / u128::from(last)) as Micros;
        }
    }
    Ok(due)
}

impl Rehearsal {
    async fn run(self) {
        let this = Arc::new(self);
        let clock = this.target.clock;
        let began = Instant::now();
        let began_us = clock.now_us();
        let deadline = began + this.recorded.within.duration();
        let mut open = JoinSet::new();
        let mut heard = Vec::new();
        let mut busiest = 0;
        for (index, due_us) in this.due_us.iter().enumerate() {
            sleep_until((began + Duration::from_micros(*due_us)).min(deadline)).await;
            while let Some(Ok(one)) = open.try_join_next() {
                this.hear(&mut heard, one);
            }
            spawn_in(&mut open, Arc::clone(&this).ask(index, deadline));
            busiest = busiest.max(open.len());
        }
        while let Ok(Some(Ok(one))) = timeout_at(deadline, open.join_next()).await {
            this.hear(&mut heard, one);
        }
        let mut rehearsed = outcome(&this.spec, &this.prompts, this.config.dialect, heard);
        rehearsed.took_us = clock.now_us().saturating_sub(began_us);
        rehearsed.in_flight_max = busiest as u32;
        let word = LedgerWord::Rehearsed(rehearsed);
        let _ = this.voice.send(FromService::Ledger(word.to_value()));
    }

    /// Keeps an answer and says how many there are.
    fn hear(&self, heard: &mut Vec<Heard>, one: Heard) {
        heard.push(one);
        let values = IndexMap::from([
            (format!("{}_recorded", self.spec.name), heard.len() as f64),
            (
                format!("{}_to_record", self.spec.name),
                self.due_us.len() as f64,
            ),
        ]);
        let _ = self.voice.send(FromService::Progress(values));
    }

    /// Asks for the answer to one prompt, once.
    async fn ask(self: Arc<Self>, index: usize, deadline: Instant) -> Heard {
        let (spec, clock) = (&self.spec, self.target.clock);
        let prompt = index % self.prompts.len();
        let planned = &self.prompts[prompt];
        let id = format!("{}-pass-{index}", spec.name);
        let prepared = prepare(&spec.name, &id, &self.model, planned, spec.stream);
        let total = spec.client.total_timeout.span();
        let until = total.map(|total| Instant::now() + total.duration());
        let ask = Ask {
            id: &id,
            class: &spec.class,
            prepared: &prepared,
            expected: &Expected::Structure,
            output_tokens: planned.output_tokens,
            stream: spec.stream,
            spec: &spec.client,
            deadline: until.map_or(deadline, |until| until.min(deadline)),
        };
        let mut attempted = Attempted::new(&ask);
        attempted.run(&self.target, &ask, |_, _| {}).await;
        let finished = attempted.finish(clock.now_us());
        Heard {
            prompt: prompt as u32,
            pass: index / self.prompts.len(),
            seen: finished.seen,
            text: finished.text.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
