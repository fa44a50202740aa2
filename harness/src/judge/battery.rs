//! What a battery has left at its lowest: plant truth.

use super::facts::RunFacts;
use super::finding::Finding;
use super::quantity::share;
use crate::playbook::BatteryAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &BatteryAssert) -> Finding {
    let least = asked.charge_at_least.get();
    let limit = format!("at least {} left", share(least));
    let wanted = |name: &str| asked.ups.as_deref().is_none_or(|ups| ups == name);
    let lowest = facts.charge.iter().filter(|(name, _)| wanted(name));
    let Some((ups, low)) = lowest.min_by(|a, b| a.1.charge.total_cmp(&b.1.charge)) else {
        let which = asked.ups.as_deref().unwrap_or("any UPS");
        return Finding::invalid(format!("no meter showed the charge of {which}"), limit);
    };
    let observed = format!("{} left in {ups} at its lowest", share(low.charge));
    Finding::held(low.charge >= least, observed, limit)
        .margin((low.charge - least) * 100.0, "%")
        .evidence(vec![format!("{ups} at {}", facts.moment(low.t_us))])
}
