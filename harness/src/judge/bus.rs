//! Gaps in the supply of load buses, from the plant's own events.

use std::collections::BTreeSet;

use ridethrough_targets::clock::Micros;

use super::facts::{BusPoint, Fault, RunFacts};

/// Below this voltage (per unit) a bus carries nothing.
const DEAD_PU: f64 = 0.1;

/// Buses that die together with a UPS die within this time of it.
const TOGETHER_US: Micros = 1_000;

/// The longest time that a bus was dead within a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The bus.
    pub bus: String,
    /// When it began.
    pub from_us: Micros,
    /// Its length, up to the heal of the fault.
    pub length_us: Micros,
    /// The bus came back before the heal.
    pub recovered: bool,
}

/// UPSs whose input the faults hit; where none did, UPSs that a fault touched
/// in another way.
pub(crate) fn concerned<'a>(faults: &[&'a Fault]) -> BTreeSet<&'a str> {
    let of = |input: bool| {
        let hit = faults.iter().filter(move |f| !input || hits_input(f));
        hit.flat_map(|f| &f.receipt.ups)
            .map(|ups| &**ups)
            .collect::<BTreeSet<_>>()
    };
    let input = of(true);
    if input.is_empty() { of(false) } else { input }
}

fn hits_input(fault: &Fault) -> bool {
    matches!(
        &*fault.receipt.fault_kind,
        "utility_outage" | "sag" | "brownout" | "swell" | "frequency" | "waveform" | "power_loss"
    )
}

/// Faults that touch one of these UPSs.
pub(crate) fn touching<'a>(faults: &[&'a Fault], ups: &BTreeSet<&str>) -> Vec<&'a Fault> {
    let touches = |f: &&Fault| f.receipt.ups.iter().any(|u| ups.contains(&**u));
    faults.iter().copied().filter(touches).collect()
}

/// The worst gap at any load bus behind the UPSs that the faults hit. `None`
/// where no fault touched a UPS.
pub fn worst_gap(facts: &RunFacts) -> Option<Gap> {
    let all: Vec<&Fault> = facts.faults.iter().collect();
    let ups = concerned(&all);
    worst(facts, &touching(&all, &ups), &ups)
}

/// The worst gap at any load bus behind these UPSs, in any of the faults that
/// touched one of them. Without a gap, one of length 0 at the first bus.
pub(crate) fn worst(facts: &RunFacts, faults: &[&Fault], ups: &BTreeSet<&str>) -> Option<Gap> {
    let mut found: Option<Gap> = None;
    for bus in load_buses(facts, ups) {
        let points = facts.buses.get(bus).map_or(&[][..], Vec::as_slice);
        for fault in faults {
            let gap = longest(bus, points, fault.start_us(), fault.end_us(facts.last_us));
            if found
                .as_ref()
                .is_none_or(|old| gap.length_us > old.length_us)
            {
                found = Some(gap);
            }
        }
    }
    found
}

/// The buses behind some UPSs: as the header names them, else what the plant's
/// events tell, with the UPSs' own outputs last.
pub(crate) fn load_buses<'a>(facts: &'a RunFacts, ups: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let named = ups
        .iter()
        .filter_map(|u| facts.load_buses.get(*u))
        .flatten();
    let mut buses: Vec<&str> = named.map(|bus| &**bus).collect();
    if buses.is_empty() {
        let pdus = facts.buses.keys().filter(|bus| !facts.ups.contains(*bus));
        let all = facts.ups.iter().all(|u| ups.contains(&**u));
        let behind = pdus.filter(|bus| all || ups.iter().any(|u| feeds(facts, u, bus)));
        buses = behind.map(|bus| &**bus).collect();
    }
    buses.extend(ups);
    let mut seen = BTreeSet::new();
    buses.retain(|bus| seen.insert(*bus));
    buses
}

/// A bus hangs on a UPS if that was ever its source, or if it died with it.
fn feeds(facts: &RunFacts, ups: &str, bus: &str) -> bool {
    let points = facts.buses.get(bus).map_or(&[][..], Vec::as_slice);
    let output = facts.buses.get(ups).map_or(&[][..], Vec::as_slice);
    let dead = |p: &&BusPoint| p.voltage_pu < DEAD_PU;
    points.iter().any(|p| p.source.contains(ups))
        || points.iter().filter(dead).any(|p| {
            let near = |o: &BusPoint| o.t_us.abs_diff(p.t_us) <= TOGETHER_US;
            output.iter().filter(dead).any(near)
        })
}

/// The longest time below [`DEAD_PU`] within a window. A bus without events is
/// taken as live: the plant starts in steady state on nominal supply.
fn longest(bus: &str, points: &[BusPoint], start: Micros, end: Micros) -> Gap {
    let before = points.iter().take_while(|p| p.t_us <= start).last();
    let mut dead_since = before.filter(|p| p.voltage_pu < DEAD_PU).map(|_| start);
    let mut worst = Gap {
        bus: bus.into(),
        from_us: start,
        length_us: 0,
        recovered: true,
    };
    let mut close = |from: Micros, to: Micros, recovered: bool| {
        let length_us = to.saturating_sub(from);
        if length_us > worst.length_us {
            worst = Gap {
                bus: bus.into(),
                from_us: from,
                length_us,
                recovered,
            };
        }
    };
    for point in points.iter().filter(|p| p.t_us > start && p.t_us < end) {
        match (dead_since, point.voltage_pu < DEAD_PU) {
            (None, true) => dead_since = Some(point.t_us),
            (Some(from), false) => {
                close(from, point.t_us, true);
                dead_since = None;
            }
            _ => {}
        }
    }
    if let Some(from) = dead_since {
        close(from, end, false);
    }
    worst
}
