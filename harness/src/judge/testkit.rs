//! Builds records for tests: a clean run of three phases that a test then
//! bends.

mod events;

use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{BatteryState, Change, UpsState};
use ridethrough_targets::service::AttemptEnd;

use super::{Judgement, RunFacts, judge};
use crate::load::{Fate, LedgerRow, Termination};
use crate::playbook::Assertion;
use crate::record::{Body, Event, PhaseWindow, RunHeader, SCHEMA};

pub(crate) const S: Micros = 1_000_000;
pub(crate) const MS: Micros = 1_000;
/// When the fault of [`Record::outage`] and of [`Record::loss`] begins.
pub(crate) const FAULT: Micros = 10 * S;
/// When it is healed.
pub(crate) const HEAL: Micros = 30 * S;
/// When the record ends.
pub(crate) const END: Micros = 40 * S;

/// Changes when the tokens of a request came: the first time, then the gaps.
pub(crate) fn retime(row: &mut LedgerRow, change: impl FnOnce(&mut Vec<Micros>)) {
    let mut times = row.token_us.iter().collect();
    change(&mut times);
    row.token_us = times.into();
}

/// A record under construction; [`Record::events`] puts it in order.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    events: Vec<Event>,
}

impl Record {
    /// Phases `baseline` (5 s to 10 s), `outage` (to 30 s) and `recovery` (to
    /// 40 s), four good requests each second on `gpu-1` and `gpu-2` by turns,
    /// and no fault.
    pub(crate) fn clean() -> Self {
        let mut record = Self { events: Vec::new() };
        record.add(
            0,
            Body::Run(RunHeader {
                schema: SCHEMA,
                run: "run-1".into(),
                playbook: "utility outage".into(),
                seed: 7,
                world: "virtual".into(),
                started: "2026-01-02T03:04:05Z".into(),
                version: "0.1.0".into(),
                facts: IndexMap::new(),
            }),
        );
        let phases = [
            ("baseline", 5, 10),
            ("outage", 10, 30),
            ("recovery", 30, 40),
        ];
        for (name, start, end) in phases {
            let window = PhaseWindow {
                name: name.into(),
                end_us: end * S,
            };
            record.add(start * S, Body::Phase(window));
        }
        for n in 0..140 {
            let at = 5 * S + n * 250 * MS;
            let node = if n % 2 == 0 { "gpu-1" } else { "gpu-2" };
            record.request(&format!("chat-{n}"), node, at, 10);
        }
        let done = Body::LoadDone {
            load: "chat".into(),
            planned: 140,
            sent: 140,
            lag_p99_us: 2 * MS,
        };
        record.add(END, done);
        let how = "completed".into();
        record.add(END, Body::End { how });
        record
    }

    /// [`Record::clean`] with an outage of the grid that the UPS carries.
    pub(crate) fn outage() -> Self {
        let mut record = Self::clean();
        record.fault(0, "utility_outage", "grid", &[], &["ups-a"]);
        record.ups(FAULT + 4 * MS, UpsState::Normal, UpsState::Transferring);
        record.bus(FAULT + MS, "pdu-a", 0.0, "");
        record.bus(FAULT + 9 * MS, "pdu-a", 1.0, "ups-a battery");
        record.ups(FAULT + 9 * MS, UpsState::Transferring, UpsState::OnBattery);
        record.ups(HEAL + S, UpsState::OnBattery, UpsState::Normal);
        let change = Change::Battery {
            from: BatteryState::Discharging,
            to: BatteryState::Charging,
            charge: 0.62,
        };
        record.plant(HEAL + S, "ups-a", change);
        for (at, to) in [(400 * MS, "on_battery"), (20 * S + 3 * S, "recovered")] {
            record.state(FAULT + at, "supervisor", to);
        }
        record.status(S, "OL CHRG");
        record.status(FAULT + 300 * MS, "OB DISCHRG");
        record.status(HEAL + 1200 * MS, "OL CHRG");
        record
    }

    /// [`Record::clean`] with `gpu-2` without power: what was on it was
    /// resumed on `gpu-1`, and the gateway took it out and back.
    pub(crate) fn loss() -> Self {
        let mut record = Self::clean();
        record.fault(0, "power_loss", "node gpu-2", &["gpu-2"], &[]);
        record.plant(FAULT + 20 * MS, "gpu-2", Change::NodePower { on: false });
        record.plant(HEAL, "gpu-2", Change::NodePower { on: true });
        record.ready(HEAL + 3 * S, "gpu-2", "replica");
        record.state(FAULT + 600 * MS, "replica:gpu-2", "unhealthy");
        record.state(HEAL + 3500 * MS, "replica:gpu-2", "healthy");
        let hit = |row: &LedgerRow| {
            row.served_by[0].0 == "gpu-2"
                && row.end_us >= FAULT + 20 * MS
                && row.sent_us < HEAL + 3 * S
        };
        let dead: Vec<LedgerRow> = record.rows().filter(|r| hit(r)).cloned().collect();
        for row in dead {
            let on_victim = row.sent_us < FAULT + 600 * MS;
            record.forget(&row.id);
            record.edit(&row.id, |r| r.served_by = vec![("gpu-1".into(), 0)]);
            if on_victim {
                let over = FAULT + 600 * MS;
                record.attempt(&row.id, 0, "gpu-2", row.sent_us, over, AttemptEnd::Evicted);
                record.edit(&row.id, |r| {
                    r.fate = Fate::Resumed;
                    r.served_by = vec![("gpu-2".into(), 0), ("gpu-1".into(), 3)];
                    retime(r, |times| times[3] += 500 * MS);
                    r.end_us += 500 * MS;
                });
            } else {
                let end = AttemptEnd::Completed;
                record.attempt(&row.id, 0, "gpu-1", row.sent_us, row.end_us, end);
            }
        }
        record
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.events.iter().filter_map(|event| match &event.body {
            Body::Request(row) => Some(row),
            _ => None,
        })
    }

    /// Changes one request.
    pub(crate) fn edit(&mut self, id: &str, change: impl FnOnce(&mut LedgerRow)) {
        let row = self
            .events
            .iter_mut()
            .find_map(|event| match &mut event.body {
                Body::Request(row) if row.id == id => Some(row),
                _ => None,
            });
        change(row.expect("the request is in the record"));
    }

    /// The request breaks off after three tokens.
    pub(crate) fn tear(&mut self, id: &str) {
        self.edit(id, |row| {
            retime(row, |times| times.truncate(3));
            row.tokens = 3;
            row.fate = Fate::Truncated;
            row.termination = Termination::EofInBody;
            row.finish = None;
            row.done = false;
            row.first_error_us = Some(row.end_us);
            row.detail = "closed after token 3, no finish_reason".into();
        });
    }

    /// The request gets no answer at all.
    pub(crate) fn lose(&mut self, id: &str) {
        self.edit(id, |row| {
            retime(row, Vec::clear);
            row.served_by.clear();
            row.tokens = 0;
            row.fate = Fate::Refused;
            row.termination = Termination::Refused;
            row.first_error_us = Some(row.end_us);
            row.detail = "connection refused".into();
        });
    }

    fn forget(&mut self, id: &str) {
        self.events
            .retain(|e| !matches!(&e.body, Body::Attempt(a) if a.request == id));
    }

    /// Leaves out events.
    pub(crate) fn drop(mut self, what: impl Fn(&Body) -> bool) -> Self {
        self.events.retain(|e| !what(&e.body));
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = self.events.clone();
        events.sort_by_key(|e| (e.t_us, matches!(e.body, Body::End { .. })));
        for (seq, event) in events.iter_mut().enumerate() {
            event.seq = seq as u64;
        }
        events
    }

    /// Judges assertions as a playbook writes them.
    pub(crate) fn judge(&self, assertions: &[Value]) -> Judgement {
        let read = |value: &Value| {
            let text = value
                .to_string()
                .replace('"', "")
                .replace(':', ": ")
                .replace(',', ", ");
            let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
            let text = inner.unwrap_or(&text).to_string();
            let assertion: Assertion = serde_json::from_value(value.clone()).expect("an assertion");
            (text, assertion)
        };
        let assertions: Vec<_> = assertions.iter().map(read).collect();
        judge(RunFacts::of(self.events()), &assertions)
    }
}
