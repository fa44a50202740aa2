//! How soon after healing every UPS is back on mains: plant truth.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::UpsState;

use super::facts::{RunFacts, UpsMove};
use super::finding::Finding;
use super::quantity::{room_ms, time};
use super::window::Window;
use crate::playbook::RetransferAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &RetransferAssert) -> Finding {
    let limit = format!("on mains within {} of the heal", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let (Some(start), Some(heal)) = (window.first_fault_us(facts), window.last_heal_us(facts))
    else {
        let why = format!("no fault was healed{}", window.words());
        return Finding::invalid(why, limit);
    };
    // Another phase's fault may take a UPS off the mains again.
    let until = window.disturbed_us(facts, heal);
    let wanted = |ups: &&String| asked.ups.as_ref().is_none_or(|only| only == *ups);
    let last = |ups: &String| last_move(facts, ups, start..until);
    let moved = facts.ups.iter().filter(wanted);
    let moved: Vec<&UpsMove> = moved.filter_map(last).collect();
    if moved.is_empty() {
        return Finding::held(true, "no UPS left the mains".into(), limit);
    }
    let back = |m: &UpsMove| matches!(m.to, UpsState::Normal | UpsState::Eco);
    if let Some(off) = moved.iter().find(|m| !back(m)) {
        let observed = format!("{} never came back to the mains", off.ups);
        let evidence = format!("{} at {}", off.ups, facts.moment(off.t_us));
        return Finding::held(false, observed, limit).evidence(vec![evidence]);
    }
    let took = |m: &UpsMove| m.t_us.saturating_sub(heal);
    let Some(latest) = moved.iter().copied().max_by_key(|m| m.t_us) else {
        return Finding::held(true, "no UPS left the mains".into(), limit);
    };
    let within = asked.within.micros();
    let observed = format!("{} back on mains after {}", latest.ups, time(took(latest)));
    Finding::held(took(latest) <= within, observed, limit)
        .margin(room_ms(within, took(latest)), "ms")
        .evidence(vec![format!(
            "{} at {}",
            latest.ups,
            facts.moment(latest.t_us)
        )])
}

fn last_move<'a>(
    facts: &'a RunFacts,
    ups: &str,
    time: std::ops::Range<Micros>,
) -> Option<&'a UpsMove> {
    let own = |m: &&UpsMove| m.ups == ups && time.contains(&m.t_us);
    facts.ups_moves.iter().rfind(own)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use ridethrough_targets::plant::UpsState;

    use super::super::Verdict;
    use super::super::testkit::{HEAL, Record, S};

    fn verdict(record: &Record, asked: Value) -> Verdict {
        let judgement = record.judge(&[json!({ "retransfer": asked })]);
        judgement.assertions[0].verdict
    }

    #[test]
    fn back_on_mains_for_good() {
        let record = Record::outage();
        assert_eq!(verdict(&record, json!({"within": "1s"})), Verdict::Pass);
        assert_eq!(verdict(&record, json!({"within": "900ms"})), Verdict::Fail);
        let again = record.with(|r| {
            r.ups(HEAL + 2 * S, UpsState::Normal, UpsState::OnBattery);
        });
        assert_eq!(verdict(&again, json!({"within": "5s"})), Verdict::Fail);
        let back = again.with(|r| {
            r.ups(HEAL + 4 * S, UpsState::OnBattery, UpsState::Normal);
        });
        assert_eq!(verdict(&back, json!({"within": "5s"})), Verdict::Pass);
        assert_eq!(verdict(&back, json!({"within": "3s"})), Verdict::Fail);
        let none = Record::clean();
        assert_eq!(verdict(&none, json!({"within": "1s"})), Verdict::Invalid);
    }
}
