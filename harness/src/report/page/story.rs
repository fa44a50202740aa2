//! What the page shows of a record beside the facts that are judged: every value
//! and every state over time, and what happened in words.

use std::collections::BTreeMap;

use ridethrough_targets::clock::Micros;

use super::steps::Steps;
use super::told::told;
use crate::record::{Body, Event};

/// Lines of what happened that are kept; a run that has more is told by its
/// record.
const LINES: usize = 600;

/// A component, and what of it: (`ups-a`, `charge`).
pub(crate) type Key = (String, &'static str);

/// Something that happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When.
    pub(crate) t_us: Micros,
    /// Whose.
    pub(crate) who: String,
    /// What.
    pub(crate) text: String,
}

/// A record as the page tells it, gathered event by event.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Numbers over time.
    pub(crate) levels: BTreeMap<Key, Steps<f64>>,
    /// States over time.
    pub(crate) states: BTreeMap<Key, Steps<String>>,
    /// What happened, in order of the record.
    pub(crate) lines: Vec<Line>,
    /// Lines beyond [`LINES`].
    pub(crate) untold: usize,
    /// Why the record ends before its run did.
    pub(crate) broken: Option<String>,
}

impl Story {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        if let Some((who, text)) = told(event) {
            if self.lines.len() < LINES {
                let t_us = event.t_us;
                self.lines.push(Line { t_us, who, text });
            } else {
                self.untold += 1;
            }
        }
        if event.source == "reader"
            && let Body::Note { text } = &event.body
        {
            self.broken = Some(text.clone());
        }
        self.follow(event.t_us, &event.body);
    }

    /// The record could not be read any further.
    pub fn breaks_off(&mut self, why: String) {
        self.broken = Some(why);
    }

    /// Nothing comes any more.
    pub fn settle(&mut self) {
        self.levels.values_mut().for_each(Steps::settle);
        self.states.values_mut().for_each(Steps::settle);
        self.lines.sort_by_key(|line| line.t_us);
    }

    /// A number, to four decimals: finer than any screen.
    pub(crate) fn level(&mut self, t_us: Micros, of: &str, what: &'static str, value: f64) {
        let steps = self.levels.entry((of.into(), what)).or_default();
        steps.push(t_us, (value * 1e4).round() / 1e4);
    }

    pub(crate) fn state(&mut self, t_us: Micros, of: &str, what: &'static str, value: &str) {
        let steps = self.states.entry((of.into(), what)).or_default();
        steps.push(t_us, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::Story;
    use crate::judge::testkit::{FAULT, MS, Record};

    #[test]
    fn who_fed_a_bus_is_followed() {
        let mut story = Story::default();
        for event in Record::outage().events() {
            story.take(&event);
        }
        story.settle();
        let fed = story.states[&("pdu-a".into(), "source")].points().to_vec();
        let expected = [
            (FAULT + MS, String::new()),
            (FAULT + 9 * MS, "ups-a battery".into()),
        ];
        assert_eq!(fed, expected);
        let volts = story.levels[&("pdu-a".into(), "voltage")].points().to_vec();
        assert_eq!(volts, [(FAULT + MS, 0.0), (FAULT + 9 * MS, 1.0)]);
        let ups = story.states[&("ups-a".into(), "ups")].points();
        assert_eq!(ups.last().map(|(_, to)| to.as_str()), Some("normal"));
        assert!(
            story
                .lines
                .iter()
                .any(|line| line.text.contains("transferring"))
        );
        assert_eq!(story.broken, None);
    }
}
