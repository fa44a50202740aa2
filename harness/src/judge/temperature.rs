//! The air that racks breathe stays cool enough: plant truth.

use super::facts::RunFacts;
use super::finding::Finding;
use super::quantity::trim;
use super::window::Window;
use crate::playbook::TemperatureAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &TemperatureAssert) -> Finding {
    let limit = format!("below {}", asked.below);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let wanted = |name: &str| asked.cooling.as_deref().is_none_or(|only| only == name);
    let rooms = facts.air.iter().filter(|(name, _)| wanted(name));
    let all = rooms.flat_map(|(name, readings)| readings.iter().map(move |r| (name, r)));
    let within = all.filter(|(_, (t_us, _))| window.has(*t_us));
    // The first of several that are as warm.
    let warmest = within.reduce(|old, new| if new.1.1 > old.1.1 { new } else { old });
    let Some((room, (t_us, celsius))) = warmest else {
        let which = asked.cooling.as_deref().unwrap_or("any room");
        let why = format!("nothing showed the air of {which}{}", window.words());
        return Finding::invalid(why, limit);
    };
    let below = asked.below.get();
    let observed = format!(
        "{} °C at {room} at its warmest{}",
        trim(*celsius, 1),
        window.words()
    );
    Finding::held(*celsius < below, observed, limit)
        .margin(below - celsius, "°C")
        .evidence(vec![format!("{room} at {}", facts.moment(*t_us))])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Verdict;
    use super::super::testkit::{FAULT, HEAL, Record, S};
    use crate::record::Body;

    fn verdict(asked: Value) -> Verdict {
        let record = Record::outage().with(|r| {
            for (t_us, celsius) in [(6 * S, 25.0), (FAULT + S, 33.0), (HEAL, 39.5)] {
                let celsius = [("crac-1".to_string(), celsius)].into();
                r.add(t_us, Body::Air { celsius });
            }
        });
        let judgement = record.judge(&[json!({ "temperature": asked })]);
        judgement.assertions[0].verdict
    }

    #[test]
    fn air_at_its_warmest() {
        assert_eq!(verdict(json!({"below": "40C"})), Verdict::Pass);
        assert_eq!(verdict(json!({"below": "39C"})), Verdict::Fail);
        let before = json!({"below": "30C", "during": "baseline"});
        assert_eq!(verdict(before), Verdict::Pass);
        let other = json!({"below": "30C", "cooling": "crac-2"});
        assert_eq!(verdict(other), Verdict::Invalid);
    }
}
