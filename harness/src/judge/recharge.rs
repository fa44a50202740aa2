//! How soon after healing batteries are charged again: plant truth.

use ridethrough_targets::clock::Micros;

use super::facts::{Charge, RunFacts};
use super::finding::Finding;
use super::quantity::{room_ms, share, time};
use super::window::Window;
use crate::playbook::RechargeAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &RechargeAssert) -> Finding {
    let to = asked.to.get();
    let limit = format!("at {} within {} of the heal", share(to), asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let Some(heal) = window.last_heal_us(facts) else {
        let why = format!("no fault was healed{}", window.words());
        return Finding::invalid(why, limit);
    };
    let until = window.disturbed_us(facts, heal);
    let wanted = |name: &str| asked.ups.as_deref().is_none_or(|ups| ups == name);
    let all = facts.charge.iter().filter(|(name, _)| wanted(name));
    let mut slowest: Option<(&str, Micros)> = None;
    for (ups, readings) in all {
        match charged(readings, to, heal, until) {
            Ok(at_us) if slowest.is_none_or(|(_, old)| at_us > old) => {
                slowest = Some((ups, at_us));
            }
            Ok(_) => {}
            Err(left) => {
                let observed = format!("{ups} was at {} at the end", share(left));
                return Finding::held(false, observed, limit);
            }
        }
    }
    let Some((ups, at_us)) = slowest else {
        let which = asked.ups.as_deref().unwrap_or("any UPS");
        return Finding::invalid(format!("no meter showed the charge of {which}"), limit);
    };
    let took = at_us - heal;
    let within = asked.within.micros();
    let observed = format!("{ups} at {} after {}", share(to), time(took));
    Finding::held(took <= within, observed, limit)
        .margin(room_ms(within, took), "ms")
        .evidence(vec![format!("{ups} at {}", facts.moment(at_us))])
}

/// When a charge was reached after a heal, or what was there instead at the
/// end.
fn charged(readings: &[Charge], to: f64, heal: Micros, until: Micros) -> Result<Micros, f64> {
    let before = readings.iter().rfind(|r| r.t_us <= heal);
    if before.is_some_and(|r| r.charge >= to) {
        return Ok(heal);
    }
    let later = readings.iter().filter(|r| r.t_us > heal && r.t_us < until);
    let mut left = before.map_or(0.0, |r| r.charge);
    for reading in later {
        if reading.charge >= to {
            return Ok(reading.t_us);
        }
        left = reading.charge;
    }
    Err(left)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Verdict;
    use super::super::testkit::{FAULT, HEAL, Record, S};

    fn verdict(record: &Record, asked: Value) -> Verdict {
        let judgement = record.judge(&[json!({ "recharge": asked })]);
        judgement.assertions[0].verdict
    }

    #[test]
    fn charged_again_in_time() {
        let record = Record::outage().with(|r| {
            r.charge(FAULT, "ups-a", 1.0);
            r.charge(HEAL, "ups-a", 0.62);
            r.charge(HEAL + 5 * S, "ups-a", 0.91);
        });
        assert_eq!(verdict(&record, json!({"within": "5s"})), Verdict::Pass);
        assert_eq!(verdict(&record, json!({"within": "4s"})), Verdict::Fail);
        let full = json!({"within": "1h", "to": "95%"});
        assert_eq!(verdict(&record, full), Verdict::Fail);
        let low = json!({"within": "1s", "to": "60%"});
        assert_eq!(verdict(&record, low), Verdict::Pass);
        let other = json!({"within": "1s", "ups": "ups-b"});
        assert_eq!(verdict(&record, other), Verdict::Invalid);
        let none = Record::clean();
        assert_eq!(verdict(&none, json!({"within": "1s"})), Verdict::Invalid);
    }
}
