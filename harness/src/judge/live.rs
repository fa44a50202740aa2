//! A run that is watched while it goes on, to end it early.

use ridethrough_targets::clock::Micros;

use super::blast::{Blast, Places};
use super::gather::Gathered;
use super::run::hold;
use super::verdict::Verdict;
use crate::playbook::{Assertion, BlastRadius};
use crate::record::{Body, Event};

/// Promises are looked at this far apart at least, in run time.
const LOOK_US: Micros = 250_000;
/// And this much further for every request so far: a look costs as much as
/// there is to look at.
const LOOK_PER_REQUEST_US: Micros = 20;

/// Why a run is to end at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Abort {
    /// A promise that is marked for it is broken.
    Broken(String),
    /// Faults hit more than they may.
    BlastRadius(String),
}

/// Watches a run by its events.
pub struct Watchman {
    /// Promises that end the run when they are broken, with their texts.
    promises: Vec<(String, Assertion)>,
    blast: Option<Blast>,
    gathered: Gathered,
    requests: u64,
    next_us: Micros,
}

impl Watchman {
    /// Watches for these promises and this blast radius; nothing where there
    /// is nothing to watch for.
    pub fn new(
        promises: &[(String, Assertion)],
        radius: Option<&BlastRadius>,
        places: Places,
    ) -> Option<Self> {
        let marked = promises.iter().filter(|(_, promise)| promise.aborts());
        let marked = marked.map(|(text, promise)| (text.clone(), promise.so_far()));
        let watchman = Self {
            promises: marked.collect(),
            blast: radius.map(|radius| Blast::new(radius.clone(), places)),
            gathered: Gathered::default(),
            requests: 0,
            next_us: 0,
        };
        let idle = watchman.promises.is_empty() && watchman.blast.is_none();
        (!idle).then_some(watchman)
    }

    /// Takes the next event.
    pub fn hear(&mut self, event: &Event) -> Option<Abort> {
        let much = self.blast.as_mut().and_then(|b| b.hear(&event.body));
        if let Some(much) = much {
            return Some(Abort::BlastRadius(much));
        }
        if self.promises.is_empty() || matches!(event.body, Body::Attempt(_)) {
            return None;
        }
        self.requests += u64::from(matches!(event.body, Body::Request(_)));
        self.gathered.take(event.clone());
        if event.t_us < self.next_us {
            return None;
        }
        self.next_us = event.t_us + LOOK_US + self.requests * LOOK_PER_REQUEST_US;
        let facts = self.gathered.clone().facts();
        let broken = self.promises.iter().find_map(|(text, promise)| {
            let (_, finding) = hold(&facts, promise);
            let broken = finding.verdict == Verdict::Fail;
            broken.then(|| format!("{text}: {}", finding.observed))
        });
        broken.map(Abort::Broken)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use ridethrough_targets::plant::Change;

    use super::super::testkit::{FAULT, Record, S};
    use super::*;

    fn watch(record: &Record, promise: serde_json::Value) -> Option<(Micros, Abort)> {
        let promise: Assertion = serde_json::from_value(promise).expect("a promise");
        let promises = [("the promise".to_string(), promise)];
        let mut watchman = Watchman::new(&promises, None, Places::default())?;
        let mut events = record.events();
        events.sort_by_key(|event| event.t_us);
        events
            .iter()
            .find_map(|event| Some((event.t_us, watchman.hear(event)?)))
    }

    #[test]
    fn only_marked_promises_are_watched() {
        let record = Record::outage();
        assert_eq!(watch(&record, json!({"continuity": {"lost": 0}})), None);
    }

    #[test]
    fn a_marked_promise_is_told_when_it_is_broken() {
        let record = Record::outage().with(|r| {
            r.plant(FAULT + S, "gpu-1", Change::NodePower { on: false });
        });
        let promise = json!({"nodes": {"lost_at_most": 0, "abort": true}});
        let (t_us, abort) = watch(&record, promise).expect("told");
        assert!((FAULT + S..FAULT + 3 * S).contains(&t_us), "{t_us}");
        let Abort::Broken(text) = abort else {
            panic!("{abort:?}")
        };
        assert!(text.contains("1 lost"), "{text}");
    }

    #[test]
    fn more_machines_than_the_blast_radius_are_told_at_once() {
        let off = |node: &str| Body::Plant {
            component: node.into(),
            cause: "no supply".into(),
            change: Change::NodePower { on: false },
        };
        let places = Places {
            racks: [("gpu-1", "r1"), ("gpu-2", "r2")]
                .map(|(node, rack)| (node.to_string(), rack.to_string()))
                .into(),
            ..Places::default()
        };
        let radius = BlastRadius {
            nodes: Some(1),
            ..BlastRadius::default()
        };
        let mut blast = Blast::new(radius, places);
        assert_eq!(blast.hear(&off("gpu-1")), None);
        let much = blast.hear(&off("gpu-2")).expect("too much");
        assert!(
            much.contains("2 machines hit at once (gpu-1, gpu-2)"),
            "{much}"
        );
    }

    #[test]
    fn a_promise_that_only_time_can_keep_is_not_broken_early() {
        let record = Record::outage();
        let promise = json!({"continuity": {"resumed_at_least": 3, "abort": true}});
        assert_eq!(watch(&record, promise), None);
    }
}
