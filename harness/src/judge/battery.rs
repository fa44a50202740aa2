//! What a battery has left at its lowest: plant truth.

use super::facts::{Charge, RunFacts};
use super::finding::Finding;
use super::quantity::share;
use super::window::Window;
use crate::playbook::BatteryAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &BatteryAssert) -> Finding {
    let least = asked.charge_at_least.get();
    let limit = format!("at least {} left", share(least));
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let wanted = |name: &str| asked.ups.as_deref().is_none_or(|ups| ups == name);
    let all = facts.charge.iter().filter(|(name, _)| wanted(name));
    let lowest = all.filter_map(|(name, readings)| Some((name, lowest(readings, &window)?)));
    let Some((ups, low)) = lowest.min_by(|a, b| a.1.charge.total_cmp(&b.1.charge)) else {
        let which = asked.ups.as_deref().unwrap_or("any UPS");
        let during = window.words();
        return Finding::invalid(
            format!("no meter showed the charge of {which}{during}"),
            limit,
        );
    };
    let observed = format!(
        "{} left in {ups} at its lowest{}",
        share(low.charge),
        window.words()
    );
    Finding::held(low.charge >= least, observed, limit)
        .margin((low.charge - least) * 100.0, "%")
        .evidence(vec![format!("{ups} at {}", facts.moment(low.t_us))])
}

/// The lowest charge in a window, the first of several. What a battery brings
/// into a window is charge that it has there.
fn lowest<'a>(readings: &'a [Charge], window: &Window<'_>) -> Option<&'a Charge> {
    let range = window.range();
    let start = readings.partition_point(|r| r.t_us <= range.start);
    let end = readings.partition_point(|r| r.t_us < range.end);
    let within = readings.get(start.saturating_sub(1)..end)?;
    within.iter().min_by(|a, b| a.charge.total_cmp(&b.charge))
}
