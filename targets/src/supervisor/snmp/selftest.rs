//! The tests of a UPS (RFC 1628, section 2.7). They are the agent's own: the
//! battery is not loaded, and what the device says of it when the time is over
//! decides.

use super::agent::Agent;
use super::control::{Own, Timer};
use super::value::Value;
use crate::telemetry::{Answer, Protocol, Reading, UpsReading};

/// How long a test takes, in hundredths of a second.
pub(super) const TAKES: u64 = 1_000;

/// `upsTestNoTestsInitiated`, the last arc of it as of the others.
pub(super) const NO_TEST: u32 = 1;
/// `upsTestAbortTestInProgress`.
pub(super) const ABORT: u32 = 2;
/// `upsTestGeneralSystemsTest`.
pub(super) const GENERAL: u32 = 3;
/// `upsTestQuickBatteryTest`.
pub(super) const QUICK: u32 = 4;

/// `upsTestResultsSummary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Summary {
    Passed = 1,
    Warning = 2,
    Error = 3,
    Aborted = 4,
    InProgress = 5,
    NoTests = 6,
}

/// The last test, or the one that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SelfTest {
    /// Which, as the last arc of its name.
    pub(super) id: u32,
    pub(super) summary: Summary,
    pub(super) detail: &'static str,
    /// The agent's uptime when it began.
    pub(super) started: u64,
    /// The agent's uptime when it ended.
    ended: u64,
}

impl SelfTest {
    /// Before the first.
    pub(super) fn none() -> Self {
        Self {
            id: NO_TEST,
            summary: Summary::NoTests,
            detail: "",
            started: 0,
            ended: 0,
        }
    }

    pub(super) fn runs(&self) -> bool {
        self.summary == Summary::InProgress
    }

    /// `upsTestElapsedTime`.
    pub(super) fn elapsed(&self) -> Value {
        match self.runs() {
            true => Value::Since(self.started),
            false => Value::Int(i64::try_from(self.ended - self.started).unwrap_or(i64::MAX)),
        }
    }
}

/// Whether a test can begin: none is under way, and the UPS is on mains.
pub(super) fn can_begin(agent: &Agent, device: &str) -> bool {
    let mains = with_reading(agent, device, |ups| {
        ups.is_some_and(|r| r.status.on_mains())
    });
    mains && agent.own(device, |own| !own.test.runs()) == Some(true)
}

/// Begins a test, or ends the one under way.
pub(super) fn set(agent: &Agent, device: &str, id: u32) {
    let uptime = agent.uptime();
    let ended = agent.own(device, |own| match id {
        ABORT => end(own, uptime, (Summary::Aborted, "aborted by a manager")),
        NO_TEST => false,
        _ => {
            own.test = SelfTest {
                id,
                summary: Summary::InProgress,
                detail: "",
                started: uptime,
                ended: uptime,
            };
            own.timers.insert(Timer::Test, uptime + TAKES);
            false
        }
    });
    agent.timers_moved.notify_waiters();
    if ended == Some(true) {
        agent.test_completed(device);
    }
}

/// The time of a test is over.
pub(super) fn over(agent: &Agent, device: &str) {
    let verdict = with_reading(agent, device, judge);
    let uptime = agent.uptime();
    if agent.own(device, |own| end(own, uptime, verdict)) == Some(true) {
        agent.test_completed(device);
    }
}

fn end(own: &mut Own, uptime: u64, (summary, detail): (Summary, &'static str)) -> bool {
    own.timers.remove(&Timer::Test);
    let ran = own.test.runs();
    if ran {
        own.test.summary = summary;
        own.test.detail = detail;
        own.test.ended = uptime;
    }
    ran
}

fn judge(reading: Option<&UpsReading>) -> (Summary, &'static str) {
    match reading {
        None => (Summary::Aborted, "the UPS cannot be heard"),
        Some(ups) if !ups.status.on_mains() => (Summary::Aborted, "the UPS left the mains"),
        Some(ups) if ups.replace_battery => (Summary::Error, "the battery must be replaced"),
        Some(ups) if ups.low_battery => (Summary::Warning, "the battery is low"),
        Some(_) => (Summary::Passed, ""),
    }
}

fn with_reading<T>(agent: &Agent, device: &str, with: impl FnOnce(Option<&UpsReading>) -> T) -> T {
    match agent.board.peek(Protocol::Snmp, device) {
        Some(Answer::Reading(reading)) => match &*reading {
            Reading::Ups(ups) => with(Some(ups)),
            _ => with(None),
        },
        _ => with(None),
    }
}
