//! Where the people of a game day have their say in a run that goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use ridethrough_targets::units::Span;

use super::hand::Hand;
use super::recorder::Recorder;
use crate::plan::{Plan, PlannedFault};
use crate::record::{Body, HoldPoint, Human, HumanAct};

/// From arming a fault to the step that injects it.
const CONFIRM: Duration = Duration::from_secs(10);
/// Longest text of a note, in characters.
const NOTE: usize = 2_000;
/// Notes and marks of one run: a bound on what a scribe can fill a disk with.
const MOST_WORDS: usize = 20_000;

/// How a game day is held.
#[derive(Clone, Copy, Debug)]
pub struct PodiumRules {
    /// Every fault waits for the conductor.
    pub hold_all: bool,
    /// How long one waits at most.
    pub limit: Span,
    /// Faults release themselves after this: a virtual world waits for nobody.
    pub by_itself: Option<Span>,
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The role.
    pub role: &'static str,
    /// The name that was given.
    pub name: String,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The fault may go on.
    Go,
    /// It is left out.
    Skip,
    /// Nobody said anything for so long.
    Silence(Span),
}

/// A fault that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its index in the plan.
    pub fault: usize,
    /// Its name.
    pub name: String,
    /// What is asked.
    pub question: String,
}

/// A fault that can be injected by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manual {
    /// Its index in the plan.
    pub fault: usize,
    /// Its name.
    pub name: String,
    /// What it hits.
    pub target: String,
    /// Milliseconds for which it lasts.
    pub for_ms: u64,
    /// It is on its way or lives now.
    pub live: bool,
    /// It is armed for so many milliseconds more.
    pub armed_ms: Option<u64>,
}

/// A fault was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Armed {
    /// For so many milliseconds.
    pub for_ms: u64,
}

/// Why somebody's word did nothing, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

fn refused<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

/// Between the people and the engine: questions and answers one way, faults by
/// hand the other. Everything that is said goes into the record.
pub struct Podium {
    rules: PodiumRules,
    inner: Mutex<Inner>,
    ordered: Notify,
}

#[derive(Default)]
struct Inner {
    recorder: Option<Recorder>,
    waiting: BTreeMap<usize, (Waiting, oneshot::Sender<Answer>)>,
    hand: Hand,
    words: usize,
}

/// A fault lives while this is there.
pub(crate) struct Live {
    podium: Arc<Podium>,
    fault: usize,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.podium.lock().hand.over(self.fault);
    }
}

impl Podium {
    /// Nobody has said anything yet.
    pub fn new(rules: PodiumRules) -> Arc<Self> {
        Arc::new(Self {
            rules,
            inner: Mutex::default(),
            ordered: Notify::new(),
        })
    }

    /// The longest that people can hold up a plan.
    pub fn longest(&self, plan: &Plan) -> Span {
        let held = plan.faults.iter().filter(|f| self.question(f).is_some());
        let each = self.rules.by_itself.unwrap_or(self.rules.limit);
        // One that is injected by hand in the last moment is lived to its end.
        let by_hand = plan.faults.iter().filter(|fault| fault.manual);
        let by_hand = by_hand.map(|fault| fault.lasts.micros()).max();
        Span::from_micros(held.count() as u64 * each.micros() + by_hand.unwrap_or(0))
    }

    /// What a fault waits to be answered.
    pub(crate) fn question(&self, planned: &PlannedFault) -> Option<String> {
        if planned.manual {
            return None;
        }
        let named = planned.hold.clone();
        let all = || format!("Is everybody ready for {}?", planned.name);
        named.or_else(|| self.rules.hold_all.then(all))
    }

    pub(crate) fn open(&self, recorder: Recorder, plan: &Plan) {
        let mut inner = self.lock();
        inner.recorder = Some(recorder);
        inner.hand = Hand::new(plan);
    }

    /// The timeline is over: nothing more is injected.
    pub(crate) fn last_call(&self) {
        self.lock().hand.close();
    }

    /// The run is over.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.hand.close();
        inner.waiting.clear();
        inner.recorder = None;
    }

    /// Asks, and waits for the answer within its bound.
    pub(crate) async fn ask(&self, planned: &PlannedFault, question: String) -> Answer {
        let (tell, told) = oneshot::channel();
        let limit = self.rules.by_itself.unwrap_or(self.rules.limit);
        let waiting = Waiting {
            fault: planned.index,
            name: planned.name.clone(),
            question: question.clone(),
        };
        let held = HoldPoint {
            fault: planned.index,
            name: planned.name.clone(),
            question,
            limit_us: limit.micros(),
        };
        {
            let mut inner = self.lock();
            inner.waiting.insert(planned.index, (waiting, tell));
            inner.say("engine", Body::Held(held));
        }
        let answer = tokio::time::timeout(limit.duration(), told).await;
        self.lock().waiting.remove(&planned.index);
        match (answer, self.rules.by_itself) {
            (Ok(Ok(answer)), _) => answer,
            (_, Some(_)) => Answer::Go,
            (_, None) => Answer::Silence(limit),
        }
    }

    /// Nothing is asked any more: the run stops.
    pub(crate) fn withdraw(&self, fault: usize) {
        self.lock().waiting.remove(&fault);
    }

    /// The next fault that somebody injects by hand.
    pub(crate) async fn order(&self) -> PlannedFault {
        loop {
            let ordered = self.ordered.notified();
            if let Some(next) = self.lock().hand.next() {
                return next;
            }
            ordered.await;
        }
    }

    /// A fault lives until what this returns is dropped.
    pub(crate) fn live(self: &Arc<Self>, planned: &PlannedFault) -> Live {
        self.lock().hand.lives(planned);
        Live {
            podium: Arc::clone(self),
            fault: planned.index,
        }
    }

    /// The questions that wait for an answer.
    pub fn waiting(&self) -> Vec<Waiting> {
        let inner = self.lock();
        inner.waiting.values().map(|(w, _)| w.clone()).collect()
    }

    /// Answers a question: the fault goes on, or is left out.
    ///
    /// # Errors
    /// Nothing is asked about it.
    pub fn answer(&self, fault: usize, go: bool, who: &Who) -> Result<(), Refused> {
        let mut inner = self.lock();
        let Some((_, tell)) = inner.waiting.remove(&fault) else {
            return refused("nothing waits for an answer there");
        };
        let (answer, act) = match go {
            true => (Answer::Go, HumanAct::Released { fault }),
            false => (Answer::Skip, HumanAct::Skipped { fault }),
        };
        inner.human(who, act);
        // Where the run stopped first, there is nobody to tell.
        let _ = tell.send(answer);
        Ok(())
    }

    /// The faults that can be injected by hand.
    pub fn manual(&self) -> Vec<Manual> {
        self.lock().hand.catalogue(Instant::now())
    }

    /// The first step: the fault can be confirmed for a short time.
    ///
    /// # Errors
    /// It cannot be injected now, and why.
    pub fn arm(&self, fault: usize, who: &Who) -> Result<Armed, Refused> {
        let mut inner = self.lock();
        inner.hand.arm(fault, Instant::now() + CONFIRM)?;
        inner.human(who, HumanAct::Armed { fault });
        let for_ms = CONFIRM.as_millis() as u64;
        Ok(Armed { for_ms })
    }

    /// The second step: it is injected.
    ///
    /// # Errors
    /// It was not armed, no longer is, or cannot be injected now.
    pub fn confirm(&self, fault: usize, who: &Who) -> Result<(), Refused> {
        let mut inner = self.lock();
        let planned = inner.hand.confirm(fault, Instant::now())?;
        inner.human(who, HumanAct::Confirmed { fault: planned });
        drop(inner);
        self.ordered.notify_one();
        Ok(())
    }

    /// Somebody writes something down, or marks a moment of theirs.
    ///
    /// # Errors
    /// Nothing runs, or there is nothing in it, or too much.
    pub fn note(&self, act: HumanAct, who: &Who) -> Result<(), Refused> {
        if let HumanAct::Note { text } = &act {
            if text.trim().is_empty() {
                return refused("a note needs a text");
            }
            if text.chars().count() > NOTE {
                return refused(format!("a note has at most {NOTE} characters"));
            }
        }
        let mut inner = self.lock();
        if inner.recorder.is_none() || self.rules.by_itself.is_some() {
            return refused("nothing runs that a note could be put beside");
        }
        if inner.words >= MOST_WORDS {
            return refused("this run has as many notes as it can hold");
        }
        inner.words += 1;
        inner.human(who, act);
        Ok(())
    }

    /// Somebody stopped the run: whoever calls this also stops it.
    pub fn stopped(&self, who: &Who) {
        self.lock().human(who, HumanAct::Stopped);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn say(&self, source: &str, body: Body) {
        if let Some(recorder) = &self.recorder {
            recorder.now(source, body);
        }
    }

    fn human(&self, who: &Who, act: HumanAct) {
        let human = Human {
            role: who.role.to_string(),
            name: who.name.clone(),
            act,
        };
        self.say("crew", Body::Human(human));
    }
}
