//! From events to facts, in one pass.

use ridethrough_targets::clock::Micros;

use super::attempts::{Attempts, Tried};
use super::facts::RunFacts;
use super::{cohort, hits};
use crate::load::LedgerRow;
use crate::record::{Body, Event};

impl RunFacts {
    /// Reads a record, event by event, and keeps of each only what somebody
    /// asks for. Events may come in any order; their times count.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let mut gathered = Gathered::default();
        for event in events {
            gathered.take(event);
        }
        gathered.facts()
    }
}

/// A stream that may break off, such as a file, is collected into a `Result`.
impl FromIterator<Event> for RunFacts {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        Self::of(events)
    }
}

/// A record that goes by. What comes with every request is moved to its place,
/// with its event's time and number; only events that are few are kept whole
/// until all are there and can be put in order.
#[derive(Clone, Default)]
pub(super) struct Gathered {
    facts: RunFacts,
    rows: Vec<(Micros, u64, LedgerRow)>,
    attempts: Vec<(Micros, u64, Tried)>,
    few: Vec<Event>,
}

impl Gathered {
    pub(super) fn take(&mut self, event: Event) {
        let (t_us, seq) = (event.t_us, event.seq);
        self.facts.last_us = self.facts.last_us.max(t_us);
        match event.body {
            Body::Request(row) => self.rows.push((t_us, seq, row)),
            Body::Attempt(attempt) => {
                let gateway = event.source;
                self.attempts.push((t_us, seq, Tried { gateway, attempt }));
            }
            Body::Write(row) => self.facts.writes.push(row),
            Body::ReadBack(found) => self.facts.read_back.push(found),
            Body::Meters { charge, .. } => {
                for (ups, value) in charge {
                    self.facts.charge(t_us, &ups, value);
                    self.facts.ups.insert(ups);
                }
            }
            Body::Air { celsius } => {
                for (unit, value) in celsius {
                    self.facts.air.entry(unit).or_default().push((t_us, value));
                }
            }
            Body::UpsReading { ups, .. } => {
                self.facts.ups.insert(ups);
            }
            Body::Progress { .. }
            | Body::Note { .. }
            | Body::NodeUp { .. }
            | Body::Order { .. }
            | Body::Rehearsal(_)
            | Body::ServiceExited { .. } => {}
            body => self.few.push(Event { body, ..event }),
        }
    }

    pub(super) fn facts(mut self) -> RunFacts {
        self.few.sort_by_key(|event| (event.t_us, event.seq));
        let mut facts = self.facts;
        let mut witnesses = Vec::new();
        let mut heals = Vec::new();
        for event in self.few {
            match event.body {
                Body::Witness(report) => witnesses.push(report),
                Body::FaultHealed { fault } => heals.push((fault, event.t_us)),
                body => facts.take(event.t_us, event.seq, body),
            }
        }
        for (fault, t_us) in heals {
            for f in facts.faults.iter_mut().filter(|f| f.receipt.fault == fault) {
                f.healed_us = Some(t_us);
            }
        }
        for report in witnesses {
            facts.witness(report);
        }
        self.rows.sort_by(|(t, seq, a), (other_t, other_seq, b)| {
            let sent = (a.scheduled_us, &a.id).cmp(&(b.scheduled_us, &b.id));
            sent.then((t, seq).cmp(&(other_t, other_seq)))
        });
        facts.rows = self.rows.into_iter().map(|(.., row)| row).collect();
        facts.attempts = Attempts::sort(self.attempts);
        facts
            .writes
            .sort_by(|a, b| (a.sent_us, &a.writer, a.index).cmp(&(b.sent_us, &b.writer, b.index)));
        for moves in facts.node_power.values_mut() {
            moves.sort_by_key(|(t, _)| *t);
        }
        for readings in facts.air.values_mut() {
            readings.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        }
        for readings in facts.charge.values_mut() {
            readings.sort_by(|a, b| {
                let times = a.t_us.cmp(&b.t_us);
                times.then(a.charge.total_cmp(&b.charge))
            });
            // Most of them say that nothing changed.
            readings.dedup_by(|later, earlier| later.charge == earlier.charge);
        }
        facts.hits = hits::hits(&facts);
        facts.cohorts = cohort::cohorts(&facts);
        facts
    }
}
