//! What batteries gave reconciles with where the energy went: plant truth.

use super::facts::RunFacts;
use super::finding::Finding;
use super::quantity::{share, trim};
use crate::playbook::EnergyAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &EnergyAssert) -> Finding {
    let mut limit = format!("accounts close within {}", asked.within);
    if let Some(most) = asked.discharged_at_most {
        limit = format!("{limit}, at most {most} discharged");
    }
    let Some(ledger) = &facts.energy else {
        let why = "the record does not say where the energy went";
        return Finding::invalid(why.into(), limit);
    };
    let discharged = ledger.battery_discharged_wh;
    let basis = if discharged > 0.0 {
        discharged
    } else {
        ledger.drawn_wh
    };
    let open = ledger.imbalance_wh().abs();
    let off = if open > 0.0 { open / basis } else { 0.0 };
    let most = asked.discharged_at_most;
    let held = off <= asked.within.get() && most.is_none_or(|most| discharged <= most.get());
    let observed = format!(
        "{} Wh discharged, {} unexplained of {} Wh drawn and {} Wh delivered",
        trim(discharged, 3),
        share(off),
        trim(ledger.drawn_wh, 3),
        trim(ledger.delivered_wh, 3)
    );
    let finding = Finding::held(held, observed, limit);
    match most {
        Some(most) => finding.margin(most.get() - discharged, "Wh"),
        None => finding.margin((asked.within.get() - off) * 100.0, "%"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use ridethrough_targets::plant::EnergyLedger;

    use super::super::Verdict;
    use super::super::testkit::{END, Record};
    use crate::record::Body;

    fn verdict(ledger: Option<EnergyLedger>, asked: Value) -> Verdict {
        let record = Record::outage().with(|r| {
            if let Some(ledger) = ledger {
                r.add(END, Body::Energy(ledger));
            }
        });
        let judgement = record.judge(&[json!({ "energy": asked })]);
        judgement.assertions[0].verdict
    }

    /// 20 Wh from batteries; this much is left unexplained.
    fn ledger(open_wh: f64) -> EnergyLedger {
        EnergyLedger {
            drawn_wh: 80.0 + open_wh,
            delivered_wh: 90.0,
            losses_wh: 10.0,
            battery_discharged_wh: 20.0,
            stored_delta_wh: -20.0,
            ..EnergyLedger::default()
        }
    }

    #[test]
    fn accounts_must_close() {
        let asked = json!({"within": "0.1%"});
        assert_eq!(verdict(Some(ledger(0.0)), asked.clone()), Verdict::Pass);
        assert_eq!(verdict(Some(ledger(0.019)), asked.clone()), Verdict::Pass);
        assert_eq!(verdict(Some(ledger(0.021)), asked.clone()), Verdict::Fail);
        assert_eq!(verdict(Some(ledger(-0.021)), asked.clone()), Verdict::Fail);
        assert_eq!(verdict(None, asked), Verdict::Invalid);
    }

    #[test]
    fn batteries_have_a_budget() {
        let asked = |most: &str| json!({"within": "0.1%", "discharged_at_most": most});
        assert_eq!(verdict(Some(ledger(0.0)), asked("20Wh")), Verdict::Pass);
        assert_eq!(verdict(Some(ledger(0.0)), asked("19Wh")), Verdict::Fail);
    }
}
