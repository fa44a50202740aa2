//! The voltage at load buses stays inside a ride-through curve: plant truth.

use std::collections::BTreeSet;

use ridethrough_targets::plant::{Disturbance, RideThrough, disturbances};
use ridethrough_targets::units::Span;

use super::facts::{BusPoint, RunFacts};
use super::finding::{Finding, bounded};
use super::quantity::{count, time, trim};
use super::window::Window;
use crate::plan::curve_name;
use crate::playbook::RideThroughAssert;

/// A disturbance at a bus, and how far inside the curve it stays.
struct Met<'a> {
    bus: &'a str,
    disturbance: Disturbance,
    /// Room to the curve where it is least, per unit; negative outside.
    room_pu: f64,
    /// The events that tell of it.
    seqs: Vec<u64>,
}

pub(crate) fn judge(facts: &RunFacts, asked: &RideThroughAssert) -> Finding {
    let limit = format!("inside {}", curve_name(asked.curve));
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let buses = buses(facts, asked);
    if buses.is_empty() {
        return Finding::invalid("the record names no load bus".into(), limit);
    }
    let all = buses.iter().flat_map(|bus| met(facts, bus, asked.curve));
    let mut all: Vec<Met<'_>> = all
        .filter(|met| window.has(met.disturbance.start_us))
        .collect();
    all.sort_by(|a, b| a.room_pu.total_cmp(&b.room_pu));
    let Some(worst) = all.first() else {
        let buses = count(buses.len(), "place");
        let during = window.words();
        let observed = format!("no disturbance at {buses}{during}");
        return Finding::held(true, observed, limit);
    };
    let observed = format!(
        "{} at {} pu on {}",
        time(worst.disturbance.duration.micros()),
        trim(worst.disturbance.retained.get(), 3),
        worst.bus
    );
    // What lies on the curve is inside of it.
    let outside = all.iter().filter(|met| met.room_pu < 0.0);
    let shown = if worst.room_pu < 0.0 {
        outside.count()
    } else {
        1
    };
    let evidence = all.iter().take(shown).map(|met| words(facts, met));
    Finding::held(worst.room_pu >= 0.0, observed, limit)
        .margin(worst.room_pu * 100.0, "%")
        .evidence(bounded(evidence))
}

fn buses<'a>(facts: &'a RunFacts, asked: &'a RideThroughAssert) -> BTreeSet<&'a str> {
    if !asked.at.is_empty() {
        return asked.at.iter().map(String::as_str).collect();
    }
    let named = facts.load_buses.values().flatten();
    let named: BTreeSet<&str> = named.map(String::as_str).collect();
    if !named.is_empty() {
        return named;
    }
    let told = facts.buses.keys().filter(|bus| !facts.ups.contains(*bus));
    told.map(String::as_str).collect()
}

/// The disturbances at a bus. One without events is taken as live: the plant
/// starts in steady state on nominal supply.
fn met<'a>(facts: &'a RunFacts, bus: &'a str, curve: RideThrough) -> Vec<Met<'a>> {
    let points = facts.buses.get(bus).map_or(&[][..], Vec::as_slice);
    let steps: Vec<_> = points.iter().map(|p| (p.t_us, p.voltage_pu)).collect();
    let found = disturbances(&steps, facts.last_us);
    let met = found.into_iter().map(|disturbance| {
        let end_us = disturbance.start_us + disturbance.duration.micros();
        let within = |p: &&BusPoint| (disturbance.start_us..=end_us).contains(&p.t_us);
        let own: Vec<&BusPoint> = points.iter().filter(within).collect();
        Met {
            bus,
            room_pu: room(&own, &disturbance, curve),
            seqs: own.iter().map(|p| p.seq).collect(),
            disturbance,
        }
    });
    met.collect()
}

/// The least room over the course of a disturbance. Each voltage in it is held
/// against the curve at the time, from its beginning, up to which it lasts.
fn room(points: &[&BusPoint], disturbance: &Disturbance, curve: RideThrough) -> f64 {
    let start_us = disturbance.start_us;
    let end_us = start_us + disturbance.duration.micros();
    let mut least = f64::INFINITY;
    for (i, point) in points.iter().enumerate() {
        let until_us = points.get(i + 1).map_or(end_us, |next| next.t_us);
        if until_us <= point.t_us {
            continue;
        }
        let elapsed = Span::from_micros(until_us - start_us);
        let above = point.voltage_pu - curve.lowest(elapsed).get();
        let below = curve.highest(elapsed).get() - point.voltage_pu;
        least = least.min(above).min(below);
    }
    least
}

fn words(facts: &RunFacts, met: &Met<'_>) -> String {
    let seqs: Vec<String> = met.seqs.iter().map(u64::to_string).collect();
    format!(
        "{} from {}, events {}",
        met.bus,
        facts.moment(met.disturbance.start_us),
        seqs.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testkit::{FAULT, MS, Record, S};
    use super::super::{Judged, Verdict};

    /// The outage with these voltages at the load bus, from these moments on.
    fn judged(curve: &str, steps: &[(u64, f64)]) -> Judged {
        let record = Record::clean().with(|r| {
            for (after, pu) in steps {
                r.bus(FAULT + after, "pdu-a", *pu, "grid");
            }
            r.bus(35 * S, "pdu-a", 1.0, "grid");
        });
        let asked = json!({"ride_through": {"curve": curve}});
        record.judge(&[asked]).assertions.remove(0)
    }

    #[test]
    fn inside_and_outside_of_a_curve() {
        let inside = judged("itic", &[(0, 0.0), (20 * MS, 1.0)]);
        assert_eq!(inside.verdict, Verdict::Pass);
        assert_eq!(inside.observed, "20 ms at 0 pu on pdu-a");
        assert!(
            inside.evidence[0].contains("events "),
            "{:?}",
            inside.evidence
        );
        let outside = judged("itic", &[(0, 0.0), (21 * MS, 1.0)]);
        assert_eq!(outside.verdict, Verdict::Fail);
        assert_eq!(outside.margin.expect("a margin").value, -70.0);
        assert_eq!(
            judged("semi_f47", &[(0, 0.6), (S / 4, 1.0)]).verdict,
            Verdict::Fail
        );
        assert_eq!(
            judged("semi_f47", &[(0, 0.5), (S / 5, 1.0)]).verdict,
            Verdict::Pass
        );
        let class = |n: u8| format!("iec_61000_4_11_class_{n}");
        let deep = [(0, 0.4), (S / 5, 1.0)];
        assert_eq!(judged(&class(2), &deep).verdict, Verdict::Fail);
        assert_eq!(judged(&class(3), &deep).verdict, Verdict::Pass);
    }

    #[test]
    fn each_voltage_counts_up_to_where_it_lasts() {
        // Dead for 15 ms and then at 85 %: each is inside at its time.
        let stepped = judged("itic", &[(0, 0.0), (15 * MS, 0.85), (3 * S, 1.0)]);
        assert_eq!(stepped.verdict, Verdict::Pass);
        assert_eq!(stepped.observed, "3 s at 0 pu on pdu-a");
        let too_long = judged("itic", &[(0, 0.0), (15 * MS, 0.75), (3 * S, 1.0)]);
        assert_eq!(too_long.verdict, Verdict::Fail);
        assert_eq!(judged("itic", &[(0, 1.3), (S, 1.0)]).verdict, Verdict::Fail);
    }

    #[test]
    fn a_steady_bus_is_inside_and_no_bus_says_nothing() {
        let steady = judged("itic", &[(0, 0.95)]);
        assert_eq!(steady.observed, "no disturbance at 1 place");
        assert_eq!(steady.verdict, Verdict::Pass);
        let asked = json!({"ride_through": {"curve": "itic"}});
        let none = Record::clean().judge(&[asked]);
        assert_eq!(none.verdict, Verdict::Invalid);
        let other = json!({"ride_through": {"curve": "itic", "at": ["pdu-b"]}});
        let other = Record::outage().judge(&[other]);
        assert_eq!(other.verdict, Verdict::Pass);
    }
}
