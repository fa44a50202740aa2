//! Load buses are carried over to another source in time: plant truth.

use std::collections::BTreeSet;

use ridethrough_targets::plant::UpsState;

use super::bus::{self, Gap};
use super::facts::{Fault, RunFacts};
use super::finding::Finding;
use super::quantity::{room_ms, time};
use super::window::Window;
use crate::playbook::{FailoverAssert, SupplyKind};

pub(crate) fn judge(facts: &RunFacts, asked: &FailoverAssert) -> Finding {
    let to = match asked.to {
        SupplyKind::Battery => "battery",
        SupplyKind::Utility => "utility",
    };
    let limit = format!("on {to}, gap at most {}", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let own = window.faults(facts);
    let mut ups = bus::concerned(&own);
    if let Some(only) = &asked.ups {
        ups = BTreeSet::from([&**only]);
    }
    let faults = bus::touching(&own, &ups);
    let Some(gap) = bus::worst(facts, &faults, &ups).filter(|_| !faults.is_empty()) else {
        let which = asked.ups.as_deref().unwrap_or("any UPS");
        let during = window.words();
        return Finding::invalid(format!("no fault touched {which}{during}"), limit);
    };
    let within = gap.length_us <= asked.within.micros() && gap.recovered;
    let strays = strays(facts, &ups, &faults, asked.to);
    let mut observed = words(&gap);
    for stray in &strays {
        observed = format!("{stray}; {observed}");
    }
    let mut evidence = Vec::new();
    if gap.length_us > 0 {
        evidence.push(format!(
            "{} dead from {}",
            gap.bus,
            facts.moment(gap.from_us)
        ));
    }
    Finding::held(within && strays.is_empty(), observed, limit)
        .margin(room_ms(asked.within.micros(), gap.length_us), "ms")
        .evidence(evidence)
}

fn words(gap: &Gap) -> String {
    if gap.length_us == 0 {
        "no gap at any load bus".into()
    } else if gap.recovered {
        format!("gap of {} at {}", time(gap.length_us), gap.bus)
    } else {
        let bus = &gap.bus;
        format!(
            "{bus} never came back (dead for {} until the heal)",
            time(gap.length_us)
        )
    }
}

/// UPSs that carried the load from another source than was asked, in words.
fn strays(
    facts: &RunFacts,
    ups: &BTreeSet<&str>,
    faults: &[&Fault],
    to: SupplyKind,
) -> Vec<String> {
    let mut all = Vec::new();
    for name in ups {
        let on_battery = faults.iter().any(|f| went_on_battery(facts, name, f));
        match to {
            SupplyKind::Battery if !on_battery => {
                all.push(format!("{name} never went on battery"));
            }
            SupplyKind::Utility if left_mains(facts, name, faults) || on_battery => {
                all.push(format!("{name} left the mains"));
            }
            _ => {}
        }
    }
    all
}

fn went_on_battery(facts: &RunFacts, ups: &str, fault: &Fault) -> bool {
    let window = fault.start_us()..=fault.end_us(facts.last_us);
    let moved = facts
        .ups_moves
        .iter()
        .any(|m| m.ups == ups && m.to == UpsState::OnBattery && window.contains(&m.t_us));
    let of_battery = |source: &str| source.contains("battery") || source.contains(ups);
    let own = facts.buses.get(ups).into_iter().flatten();
    moved
        || own
            .filter(|p| window.contains(&p.t_us))
            .any(|p| of_battery(&p.source))
}

fn left_mains(facts: &RunFacts, ups: &str, faults: &[&Fault]) -> bool {
    facts.ups_moves.iter().any(|m| {
        let during = |f: &&Fault| (f.start_us()..=f.end_us(facts.last_us)).contains(&m.t_us);
        m.ups == ups && m.from == UpsState::Normal && faults.iter().any(during)
    })
}
