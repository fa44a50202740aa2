//! How long after the truth a UPS on battery is reported as such.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::UpsState;

use super::facts::{RunFacts, UpsMove};
use super::finding::Finding;
use super::quantity::{room_ms, time};
use super::window::Window;
use crate::playbook::{Source, TruthLagAssert};

pub(crate) fn judge(facts: &RunFacts, asked: &TruthLagAssert) -> Finding {
    let via = match asked.via {
        Source::Nut => "NUT",
        Source::Supervisor => "the supervisor",
    };
    let limit = format!("{via} at most {} behind", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let wanted = |ups: &str| asked.ups.as_deref().is_none_or(|only| only == ups);
    let moved = |m: &&UpsMove| m.to == UpsState::OnBattery && m.from != UpsState::Qualifying;
    let all = facts.ups_moves.iter().filter(moved);
    let all = all.filter(|m| wanted(&m.ups) && window.has(m.t_us));
    let lags: Vec<(&UpsMove, Option<Micros>)> = all
        .map(|m| (m, said(facts, m, asked.via).map(|at| at - m.t_us)))
        .collect();
    let lag = |(_, lag): &&(&UpsMove, Option<Micros>)| lag.unwrap_or(Micros::MAX);
    let Some((worst, lag)) = lags.iter().max_by_key(lag) else {
        let during = window.words();
        let why = match &asked.ups {
            Some(ups) => format!("{ups} never went on battery{during}"),
            None => format!("no UPS went on battery{during}"),
        };
        return Finding::invalid(why, limit);
    };
    let evidence = vec![format!("{} at {}", worst.ups, facts.moment(worst.t_us))];
    let Some(lag) = lag else {
        let observed = format!("{via} never said that {} was on battery", worst.ups);
        return Finding::held(false, observed, limit).evidence(evidence);
    };
    let within = asked.within.micros();
    let observed = format!("{} on battery by {via} after {}", worst.ups, time(*lag));
    Finding::held(*lag <= within, observed, limit)
        .margin(room_ms(within, *lag), "ms")
        .evidence(evidence)
}

/// When it was first said of a UPS that it is on battery, from its transfer up
/// to its next one.
fn said(facts: &RunFacts, moved: &UpsMove, via: Source) -> Option<Micros> {
    let next =
        |m: &&UpsMove| m.ups == moved.ups && m.t_us > moved.t_us && m.from == UpsState::Normal;
    let until = facts
        .ups_moves
        .iter()
        .find(next)
        .map_or(Micros::MAX, |m| m.t_us);
    let time = moved.t_us..until;
    match via {
        Source::Nut => {
            let mut words = facts.seen.iter();
            let word = words.find(|s| {
                let status = s.via == "nut" && s.variable == "ups.status" && s.device == moved.ups;
                status && time.contains(&s.t_us) && s.value.split_whitespace().any(|t| t == "OB")
            });
            word.map(|s| s.t_us)
        }
        Source::Supervisor => {
            let away = |to: &str| matches!(to, "on_battery" | "low_battery" | "shutting_down");
            let own = facts.moves.iter().filter(|m| m.of == "supervisor");
            let held = own.clone().rfind(|m| m.t_us <= moved.t_us);
            if held.is_some_and(|m| away(&m.to)) {
                return Some(moved.t_us);
            }
            let mut later = own.filter(|m| time.contains(&m.t_us));
            later.find(|m| away(&m.to)).map(|m| m.t_us)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Verdict;
    use super::super::testkit::Record;
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
}
