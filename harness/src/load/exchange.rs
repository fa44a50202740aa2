//! A request from its intended time to its row, with the client's retries.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::Notice;
use ridethrough_targets::units::Span;

use super::classify::classify;
use super::client::{Ask, Attempted, Target};
use super::dialect::Learner;
use super::expected::{Book, Expected};
use super::fate::{Fate, Group};
use super::milestones::Milestones;
use super::observe::Observations;
use super::prompt::prepare;
use super::row::{LedgerRow, Termination};
use super::schedule::Planned;
use super::stats::Stats;
use crate::playbook::{ClientSpec, LoadSpec};

/// First pause before a retry; it doubles each time.
const BACKOFF: Duration = Duration::from_millis(100);
/// Longest pause before a retry, whatever `Retry-After` says.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The life of a request that its client never ends: longer than any run.
const ENDLESS: Duration = Duration::from_secs(365 * 24 * 3600);

/// What all requests of a load share.
pub(super) struct Shared {
    pub(super) target: Target,
    pub(super) spec: LoadSpec,
    pub(super) model: String,
    pub(super) stats: Arc<Stats>,
    pub(super) milestones: Arc<Milestones>,
    pub(super) learner: Arc<Mutex<Learner>>,
    /// What answers are held against.
    pub(super) book: Book,
    /// Turns true when the run is over for open requests.
    pub(super) ended: Arc<Notice<bool>>,
}

/// What the retries of one request add up to.
struct Course {
    attempts: u32,
    sent_us: Micros,
    first_error_us: Option<Micros>,
}

/// Sends request `index` of a load, and returns its row once its fate is known.
pub(super) async fn exchange(
    shared: Arc<Shared>,
    index: usize,
    planned: Planned,
    due: Micros,
) -> LedgerRow {
    let spec = &shared.spec;
    let clock = shared.target.clock;
    let id = format!("{}-{index}", spec.name);
    let prepared = prepare(&spec.name, &id, &shared.model, &planned, spec.stream);
    let expected: Expected = shared
        .book
        .expected(prepared.oracle.clone(), planned.prompt);
    let ask = Ask {
        id: &id,
        class: &spec.class,
        prepared: &prepared,
        expected: &expected,
        output_tokens: planned.output_tokens,
        stream: spec.stream,
        spec: &spec.client,
        deadline: Instant::now() + lifetime(&spec.client),
    };
    let ended = Arc::clone(&shared.ended);
    let mut course = Course {
        attempts: 0,
        sent_us: clock.now_us(),
        first_error_us: None,
    };
    loop {
        course.attempts += 1;
        let mut attempted = Attempted::new(&ask);
        let (mut first, mut tokens) = (true, 0);
        let run = attempted.run(&shared.target, &ask, |count, now| {
            shared.stats.tokens(count);
            shared.milestones.tokens(tokens, count, now);
            tokens += count;
            if std::mem::take(&mut first) {
                shared.stats.first_token(now.saturating_sub(due));
            }
        });
        tokio::select! {
            biased;
            () = run => {}
            _ = ended.wait_for(|over| over) => {}
        }
        let pause = pause(&shared, &course, &attempted, &ask);
        let row = conclude(&shared, &mut course, attempted, &id, &planned, due);
        let Some(until) = pause.filter(|_| row.group() != Group::Whole) else {
            return row;
        };
        tokio::select! {
            biased;
            () = sleep_until(until) => {}
            _ = ended.wait_for(|over| over) => return row,
        }
    }
}

/// How long a request may live by its client's own bound.
fn lifetime(client: &ClientSpec) -> Duration {
    client.total_timeout.span().map_or(ENDLESS, Span::duration)
}

/// When the request is tried again, if it is at all: never after a token was
/// seen, and never past its own deadline.
fn pause(
    shared: &Shared,
    course: &Course,
    attempted: &Attempted,
    ask: &Ask<'_>,
) -> Option<Instant> {
    let again = course.attempts <= shared.spec.client.retries
        && attempted.tokens() == 0
        && attempted.termination != Termination::RunEnded;
    let doubled = BACKOFF.saturating_mul(1 << (course.attempts - 1).min(10));
    let asked = attempted.retry_after_s.map(Duration::from_secs);
    let until = Instant::now() + asked.unwrap_or(doubled).min(MAX_PAUSE);
    (again && until < ask.deadline).then_some(until)
}

/// Ends an attempt: judges it and writes its row.
fn conclude(
    shared: &Shared,
    course: &mut Course,
    attempted: Attempted,
    id: &str,
    planned: &Planned,
    due: Micros,
) -> LedgerRow {
    let end_us = shared.target.clock.now_us();
    let (connected_us, headers_us) = (attempted.connected_us, attempted.headers_us);
    let mut finished = attempted.finish(end_us);
    let seen: &mut Observations = &mut finished.seen;
    seen.attempts = course.attempts;
    let (fate, detail) = {
        let mut learner = shared
            .learner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        learner.learn(seen);
        classify(seen, learner.dialect())
    };
    let whole = fate.group(seen.tokens) == Group::Whole;
    // A request cut by the end of the run met no error of the target.
    let met = match finished.first_error_us {
        None if !whole && fate != Fate::Hung => Some(end_us),
        other => other,
    };
    course.first_error_us = course.first_error_us.or(met);
    LedgerRow {
        id: id.to_owned(),
        load: shared.spec.name.clone(),
        class: shared.spec.class.clone(),
        prompt_tokens: planned.prompt_tokens,
        output_tokens: planned.output_tokens,
        scheduled_us: due,
        sent_us: course.sent_us,
        connected_us,
        headers_us,
        token_us: finished.token_us.into(),
        end_us,
        first_error_us: course.first_error_us,
        attempts: course.attempts,
        status: finished.seen.status,
        served_by: finished.served_by,
        tokens: finished.seen.tokens,
        finish: finished.seen.finish,
        done: finished.seen.done,
        termination: finished.seen.termination,
        fate,
        detail,
    }
}
