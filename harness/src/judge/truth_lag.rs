//! How long after the truth a UPS on battery, or a BESS that forms the grid, is
//! reported as such.

use std::ops::Range;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::UpsState;

use super::facts::{BessMove, RunFacts, UpsMove};
use super::finding::Finding;
use super::quantity::{room_ms, time};
use super::window::Window;
use crate::playbook::{Teller, TruthLagAssert};

pub(crate) fn judge(facts: &RunFacts, asked: &TruthLagAssert) -> Finding {
    let via = match asked.via {
        Teller::Nut => "NUT",
        Teller::Supervisor => "the supervisor",
        Teller::Snmp => "SNMP",
        Teller::Modbus => "Modbus",
    };
    let limit = format!("{via} at most {} behind", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let wanted = |name: &str| asked.ups.as_deref().is_none_or(|only| only == name);
    let all = spells(facts, asked.via);
    let all = all.into_iter();
    let all = all.filter(|s| wanted(&s.device) && window.has(s.time.start));
    let lags: Vec<(Spell, Option<Micros>)> = all
        .map(|spell| {
            let said = said(facts, &spell, asked.via);
            let lag = said.map(|at| at - spell.time.start);
            (spell, lag)
        })
        .collect();
    let lag = |(_, lag): &&(Spell, Option<Micros>)| lag.unwrap_or(Micros::MAX);
    let Some((worst, lag)) = lags.iter().max_by_key(lag) else {
        let during = window.words();
        let why = match &asked.ups {
            Some(name) => format!("{name} never went on battery{during}"),
            None if asked.via == Teller::Modbus => format!("no BESS formed a grid{during}"),
            None => format!("no UPS went on battery{during}"),
        };
        return Finding::invalid(why, limit);
    };
    let evidence = vec![format!(
        "{} at {}",
        worst.device,
        facts.moment(worst.time.start)
    )];
    let Some(lag) = lag else {
        let observed = format!("{via} never said that {} was on battery", worst.device);
        return Finding::held(false, observed, limit).evidence(evidence);
    };
    let within = asked.within.micros();
    let observed = format!("{} on battery by {via} after {}", worst.device, time(*lag));
    Finding::held(*lag <= within, observed, limit)
        .margin(room_ms(within, *lag), "ms")
        .evidence(evidence)
}

/// A stretch on battery, in truth.
struct Spell {
    device: String,
    time: Range<Micros>,
}

/// The stretches that a teller can tell of: a UPS from its transfer up to its
/// next one, a BESS as long as it forms the grid.
fn spells(facts: &RunFacts, via: Teller) -> Vec<Spell> {
    if via == Teller::Modbus {
        let forms = facts.bess_moves.iter().filter(|m| m.forms);
        let spell = |m: &BessMove| {
            let own = |n: &&BessMove| n.bess == m.bess && n.t_us > m.t_us && !n.forms;
            let end = facts.bess_moves.iter().find(own);
            Spell {
                device: m.bess.clone(),
                time: m.t_us..end.map_or(Micros::MAX, |n| n.t_us),
            }
        };
        return forms.map(spell).collect();
    }
    let moved = |m: &&UpsMove| m.to == UpsState::OnBattery && m.from != UpsState::Qualifying;
    let spell = |m: &UpsMove| {
        let next = |n: &&UpsMove| n.ups == m.ups && n.t_us > m.t_us && n.from == UpsState::Normal;
        let next = facts.ups_moves.iter().find(next);
        Spell {
            device: m.ups.clone(),
            time: m.t_us..next.map_or(Micros::MAX, |n| n.t_us),
        }
    };
    facts.ups_moves.iter().filter(moved).map(spell).collect()
}

/// When it was first said of a device that it is on battery.
fn said(facts: &RunFacts, spell: &Spell, via: Teller) -> Option<Micros> {
    let time = &spell.time;
    let shown = |via: &str, variable: &str, says: &dyn Fn(&str) -> bool| {
        let own = facts
            .seen
            .iter()
            .filter(|s| s.via == via && s.variable == variable);
        let mut own = own.filter(|s| s.device == spell.device && time.contains(&s.t_us));
        own.find(|s| says(&s.value)).map(|s| s.t_us)
    };
    match via {
        Teller::Nut => shown("nut", "ups.status", &|value| {
            value.split_whitespace().any(|token| token == "OB")
        }),
        Teller::Snmp => shown("snmp", "status", &|value| value == "on_battery"),
        Teller::Modbus => shown("modbus", "mode", &|value| value == "forming"),
        Teller::Supervisor => {
            let away = |to: &str| matches!(to, "on_battery" | "low_battery" | "shutting_down");
            let own = facts.moves.iter().filter(|m| m.of == "supervisor");
            let held = own.clone().rfind(|m| m.t_us <= time.start);
            if held.is_some_and(|m| away(&m.to)) {
                return Some(time.start);
            }
            let mut later = own.filter(|m| time.contains(&m.t_us));
            later.find(|m| away(&m.to)).map(|m| m.t_us)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use ridethrough_targets::plant::{BessState, Change};

    use super::super::Verdict;
    use super::super::testkit::{FAULT, MS, Record, S};
    use crate::record::Body;

    fn verdict(record: &Record, asked: Value) -> Verdict {
        let judgement = record.judge(&[json!({ "truth_lag": asked })]);
        judgement.assertions[0].verdict
    }

    #[test]
    fn telemetry_lags_behind_the_truth() {
        let record = Record::outage();
        // On battery 9 ms after the fault, told by NUT 300 ms after it.
        assert_eq!(verdict(&record, json!({"within": "291ms"})), Verdict::Pass);
        assert_eq!(verdict(&record, json!({"within": "290ms"})), Verdict::Fail);
        let supervisor = |within: &str| json!({"via": "supervisor", "within": within});
        assert_eq!(verdict(&record, supervisor("391ms")), Verdict::Pass);
        assert_eq!(verdict(&record, supervisor("390ms")), Verdict::Fail);
        let mute = record.drop(|b| matches!(b, Body::Observed { .. }));
        assert_eq!(verdict(&mute, json!({"within": "1h"})), Verdict::Fail);
        let clean = Record::clean();
        assert_eq!(verdict(&clean, json!({"within": "1s"})), Verdict::Invalid);
    }

    #[test]
    fn every_protocol_lags_by_itself() {
        let seen = |r: &mut Record, at, via: &str, device: &str, variable: &str, value: &str| {
            let body = Body::Observed {
                via: via.into(),
                device: device.into(),
                variable: variable.into(),
                value: value.into(),
            };
            r.add(at, body);
        };
        let record = Record::outage().with(|r| {
            let at = FAULT + 509 * MS;
            seen(r, at, "snmp", "ups-a", "status", "on_battery");
            let (from, to) = (BessState::Starting, BessState::Forming);
            r.plant(
                FAULT + S,
                "bess-1",
                Change::Bess {
                    from,
                    to,
                    charge: 0.9,
                },
            );
            seen(
                r,
                FAULT + S + 80 * MS,
                "modbus",
                "bess-1",
                "mode",
                "forming",
            );
        });
        for (via, within, wanted) in [
            ("snmp", "500ms", Verdict::Pass),
            ("snmp", "499ms", Verdict::Fail),
            ("modbus", "80ms", Verdict::Pass),
            ("modbus", "79ms", Verdict::Fail),
        ] {
            let asked = json!({"via": via, "within": within});
            assert_eq!(verdict(&record, asked), wanted, "{via} {within}");
        }
    }
}
