//! Whether a site can be: every problem at once, each with its path.

use std::collections::{BTreeMap, BTreeSet};

use super::event::NodeLoad;
use super::site::{self, Site};
use crate::units::Span;

/// No time of a site is longer: a year.
const LONGEST: Span = Span::from_secs(365 * 86_400);

/// Why a site cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component}: {problem}")]
pub struct SiteError {
    /// The component, by its path in the site, such as `pdus.pdu-a.from`.
    pub component: String,
    /// What is wrong.
    pub problem: String,
}

/// Every problem of a site and its loads.
pub(super) fn problems(site: &Site, loads: &[NodeLoad]) -> Vec<SiteError> {
    let mut check = Check {
        site,
        found: Vec::new(),
    };
    check.names(loads);
    check.nominal();
    check.references();
    check.cycles();
    for (name, utility) in &site.utilities {
        check.profile(name, utility);
    }
    for (name, ups) in &site.ups {
        check.ups(name, ups);
        check.battery(name, &ups.battery);
    }
    for (name, pdu) in &site.pdus {
        check.breaker(name, &pdu.breaker);
        check.bounded(format!("pdus.{name}.restore_delay"), pdu.restore_delay);
    }
    for (name, rack) in &site.racks {
        check.rack(name, rack);
    }
    for load in loads {
        check.load(load);
    }
    check.found
}

struct Check<'a> {
    site: &'a Site,
    found: Vec<SiteError>,
}

impl Check<'_> {
    fn say(&mut self, component: String, problem: impl Into<String>) {
        let problem = problem.into();
        self.found.push(SiteError { component, problem });
    }

    fn positive(&mut self, path: String, value: f64) {
        if !(value > 0.0 && value.is_finite()) {
            self.say(path, "must be above 0");
        }
    }

    /// Within `low..=high`.
    fn within(&mut self, path: String, value: f64, low: f64, high: f64) {
        if !(low..=high).contains(&value) {
            self.say(
                path,
                format!("is {value}; must be between {low} and {high}"),
            );
        }
    }

    fn bounded(&mut self, path: String, span: Span) {
        if span > LONGEST {
            self.say(path, format!("is {span}; must be at most a year"));
        }
    }

    fn names(&mut self, loads: &[NodeLoad]) {
        let site = self.site;
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let kinds = [
            ("utilities", site.utilities.keys().collect::<Vec<_>>()),
            ("ups", site.ups.keys().collect()),
            ("pdus", site.pdus.keys().collect()),
        ];
        for (kind, names) in &kinds {
            for name in names {
                if let Some(first) = seen.insert(name, kind) {
                    self.say(
                        format!("{kind}.{name}"),
                        format!("the name is taken: {first}.{name}"),
                    );
                }
            }
        }
        for name in site.racks.keys() {
            if let Some(first) = seen.get(name.as_str()) {
                let problem = format!("the name is taken: {first}.{name}");
                self.say(format!("racks.{name}"), problem);
            }
        }
        for load in loads {
            if let Some(first) = seen.insert(&load.name, "nodes") {
                let problem = format!("the name is taken: {first}.{}", load.name);
                self.say(format!("nodes.{}", load.name), problem);
            }
        }
        if site.utilities.is_empty() {
            self.say("utilities".to_string(), "a site needs at least one");
        }
    }

    fn nominal(&mut self) {
        let nominal = &self.site.nominal;
        self.positive("nominal.voltage".to_string(), nominal.voltage.get());
        self.positive("nominal.frequency".to_string(), nominal.frequency.get());
    }

    fn is_bus(&self, name: &str) -> bool {
        self.site.utilities.contains_key(name)
            || self.site.ups.contains_key(name)
            || self.site.pdus.contains_key(name)
    }

    fn source(&mut self, path: String, name: &str) {
        if !self.is_bus(name) {
            let site = self.site;
            let known = site
                .utilities
                .keys()
                .chain(site.ups.keys())
                .chain(site.pdus.keys());
            self.say(path, unknown("component", name, known));
        }
    }

    fn references(&mut self) {
        let site = self.site;
        for (name, ups) in &site.ups {
            self.source(format!("ups.{name}.from"), &ups.from);
        }
        for (name, pdu) in &site.pdus {
            self.source(format!("pdus.{name}.from"), &pdu.from);
        }
        for (name, root) in &site.feeds {
            self.source(format!("feeds.{name}"), root);
        }
    }

    /// A component that no utility is above, though every link exists.
    fn cycles(&mut self) {
        let site = self.site;
        let from = |name: &str| {
            let ups = site.ups.get(name).map(|u| &u.from);
            ups.or_else(|| site.pdus.get(name).map(|p| &p.from))
        };
        let kinds = [
            ("ups", site.ups.keys().collect::<Vec<_>>()),
            ("pdus", site.pdus.keys().collect()),
        ];
        for (kind, names) in kinds {
            for name in names {
                let mut path = vec![name.as_str()];
                let mut seen = BTreeSet::from([name.as_str()]);
                while let Some(next) = path.last().and_then(|last| from(last)) {
                    path.push(next);
                    if !seen.insert(next) {
                        break;
                    }
                }
                if path.len() > 1 && path.last() == path.first() {
                    let problem = format!("it feeds itself: {}", path.join(" from "));
                    self.say(format!("{kind}.{name}.from"), problem);
                }
            }
        }
    }

    fn profile(&mut self, name: &str, utility: &site::Utility) {
        for (i, step) in utility.profile.iter().enumerate() {
            let path = |field: &str| format!("utilities.{name}.profile.{i}.{field}");
            self.within(path("voltage"), step.voltage.get(), 0.0, 5.0);
            self.bounded(path("at"), step.at);
            if let Some(frequency) = step.frequency {
                self.positive(path("frequency"), frequency.get());
            }
            if i > 0 && utility.profile[i - 1].at >= step.at {
                self.say(path("at"), "must be later than the step before");
            }
        }
    }

    fn ups(&mut self, name: &str, ups: &site::Ups) {
        let path = |field: &str| format!("ups.{name}.{field}");
        self.positive(path("rating"), ups.rating.get());
        self.within(path("efficiency"), ups.efficiency.get(), 0.1, 1.0);
        self.bounded(path("transfer"), ups.transfer.unwrap_or_default());
        self.bounded(path("disqualify"), ups.disqualify);
        self.bounded(path("requalify"), ups.requalify);
        self.bounded(path("walk_in"), ups.walk_in);
        let window = &ups.input_window;
        self.within(path("input_window.low"), window.low.get(), 0.1, 1.0);
        self.within(path("input_window.high"), window.high.get(), 1.0, 5.0);
    }

    fn battery(&mut self, name: &str, battery: &site::Battery) {
        let path = |field: &str| format!("ups.{name}.battery.{field}");
        self.positive(path("energy"), battery.energy.get());
        if let Some(runtime) = battery.runtime {
            self.positive(path("runtime"), runtime.secs_f64());
            self.bounded(path("runtime"), runtime);
        }
        self.within(path("exponent"), battery.exponent, 0.5, 3.0);
        self.within(path("charge"), battery.charge.get(), 0.0, 1.0);
        self.within(path("health"), battery.health.get(), 0.001, 1.0);
        self.within(path("charger"), battery.charger.get(), 0.0, 10.0);
        self.within(path("charge_low"), battery.charge_low.get(), 0.0, 1.0);
        for (i, point) in battery.curve.iter().enumerate() {
            self.positive(path(&format!("curve.{i}.power")), point.power.get());
            self.positive(
                path(&format!("curve.{i}.runtime")),
                point.runtime.secs_f64(),
            );
            let rises = i > 0 && battery.curve[i - 1].power >= point.power;
            let lasts = i > 0 && battery.curve[i - 1].runtime <= point.runtime;
            if rises || lasts {
                let problem = "points must go up in power and down in runtime";
                self.say(path(&format!("curve.{i}")), problem);
            }
        }
    }

    fn breaker(&mut self, name: &str, breaker: &site::Breaker) {
        let path = |field: &str| format!("pdus.{name}.breaker.{field}");
        self.positive(path("rating"), breaker.rating.get());
        self.positive(path("pickup"), breaker.pickup.get());
        self.bounded(path("pickup_delay"), breaker.pickup_delay);
        if breaker.instantaneous < breaker.pickup {
            self.say(path("instantaneous"), "must not be below the pickup");
        }
    }

    fn rack(&mut self, name: &str, rack: &site::Rack) {
        let path = |field: &str| format!("racks.{name}.{field}");
        if !(1..=2).contains(&rack.cords.len()) {
            let problem = format!("has {} cords; must have one or two", rack.cords.len());
            self.say(path("cords"), problem);
        }
        for cord in &rack.cords {
            if !self.site.pdus.contains_key(cord) {
                self.say(path("cords"), unknown("pdu", cord, self.site.pdus.keys()));
            }
        }
        self.bounded(path("stagger"), rack.stagger);
        self.positive(path("psu.rating"), rack.psu.rating.get());
        self.within(path("psu.hold_up"), rack.psu.hold_up.get(), 0.0, 1e9);
        self.within(path("psu.dropout"), rack.psu.dropout.get(), 0.0, 1.0);
        self.positive(path("psu.current_limit"), rack.psu.current_limit.get());
    }

    fn load(&mut self, load: &NodeLoad) {
        let path = |field: &str| format!("nodes.{}.{field}", load.name);
        if !self.site.racks.contains_key(&load.rack) {
            self.say(
                path("rack"),
                unknown("rack", &load.rack, self.site.racks.keys()),
            );
        }
        self.within(path("idle"), load.idle.get(), 0.0, 1e9);
        self.within(path("peak"), load.peak.get(), 0.0, 1e9);
        if load.peak < load.idle {
            self.say(path("peak"), "must not be below idle");
        }
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<&str> = known.map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let tail = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    match names.as_slice() {
        [] => format!("no {what} `{name}`; the site has none"),
        _ => format!(
            "no {what} `{name}`; the site has {}{tail}",
            names.join(", ")
        ),
    }
}
