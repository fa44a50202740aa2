//! The meters' log: what every bus's voltage was, apart from what was asked.

use std::collections::VecDeque;

use indexmap::IndexMap;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{Change, PlantEvent};

/// Changes kept per meter; older ones are forgotten.
const KEPT: usize = 4_096;

/// Voltages over time, by component.
#[derive(Debug, Default)]
pub(crate) struct MeterLog {
    changes: IndexMap<String, VecDeque<(Micros, f64)>>,
}

impl MeterLog {
    /// Takes a reading at a component's output.
    pub(crate) fn read(&mut self, component: &str, t_us: Micros, pu: f64) {
        let log = self.changes.entry(component.to_string()).or_default();
        if log.back().is_some_and(|(_, last)| *last == pu) {
            return;
        }
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back((t_us, pu));
    }

    /// Takes the readings that an event of the plant holds.
    pub(crate) fn hear(&mut self, event: &PlantEvent) {
        match &event.change {
            Change::Supply { voltage_pu, .. } | Change::Bus { voltage_pu, .. } => {
                self.read(&event.component, event.t_us, *voltage_pu);
            }
            _ => {}
        }
    }

    /// The reading in force at `since`, if there was one, and every later one.
    pub(crate) fn since(&self, component: &str, since: Micros) -> Vec<(Micros, f64)> {
        let Some(log) = self.changes.get(component) else {
            return Vec::new();
        };
        let held = log.iter().rev().find(|(t, _)| *t <= since);
        let held = held.map(|(_, pu)| (since, *pu));
        let later = log.iter().filter(|(t, _)| *t > since).copied();
        held.into_iter().chain(later).collect()
    }

    /// The lowest reading in force at or after `since`, and when it was first
    /// so low.
    pub(crate) fn lowest(&self, component: &str, since: Micros) -> Option<(Micros, f64)> {
        let log = self.since(component, since).into_iter();
        log.reduce(|low, next| if next.1 < low.1 { next } else { low })
    }
}

#[cfg(test)]
mod tests {
    use super::MeterLog;

    #[test]
    fn the_lowest_reading_counts_what_was_in_force() {
        let mut log = MeterLog::default();
        for (t, pu) in [(0, 1.0), (100, 0.4), (120, 1.0)] {
            log.read("grid", t, pu);
        }
        assert_eq!(log.lowest("grid", 50), Some((100, 0.4)));
        assert_eq!(log.lowest("grid", 110), Some((110, 0.4)));
        assert_eq!(log.lowest("grid", 130), Some((130, 1.0)));
        assert_eq!(log.lowest("moon", 0), None);
    }
}
