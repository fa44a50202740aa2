//! Whether a site can be: every problem at once, each with its path.

use super::super::event::NodeLoad;
use super::super::site::Site;
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
pub(in super::super) fn problems(site: &Site, loads: &[NodeLoad]) -> Vec<SiteError> {
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
    for (name, generator) in &site.generators {
        check.generator(name, generator);
    }
    for (name, transfer) in &site.transfers {
        check.transfer(name, transfer);
    }
    for (name, ups) in &site.ups {
        check.ups(name, ups);
        check.battery(name, &ups.battery);
    }
    for (name, bess) in &site.bess {
        check.bess(name, bess);
    }
    for (name, pdu) in &site.pdus {
        check.breaker(name, &pdu.breaker);
        for (field, span) in [
            ("restore_delay", pdu.restore_delay),
            ("outlet_on_delay", pdu.outlet_on_delay),
            ("outlet_off_delay", pdu.outlet_off_delay),
        ] {
            check.bounded(format!("pdus.{name}.{field}"), span);
        }
    }
    for (name, rack) in &site.racks {
        check.rack(name, rack);
    }
    for (name, cooling) in &site.cooling {
        check.cooling(name, cooling);
    }
    for load in loads {
        check.load(load);
    }
    check.found
}

pub(super) struct Check<'a> {
    pub(super) site: &'a Site,
    found: Vec<SiteError>,
}

impl Check<'_> {
    pub(super) fn say(&mut self, component: String, problem: impl Into<String>) {
        let problem = problem.into();
        self.found.push(SiteError { component, problem });
    }

    pub(super) fn positive(&mut self, path: String, value: f64) {
        if !(value > 0.0 && value.is_finite()) {
            self.say(path, "must be above 0");
        }
    }

    /// Within `low..=high`.
    pub(super) fn within(&mut self, path: String, value: f64, low: f64, high: f64) {
        if !(low..=high).contains(&value) {
            self.say(
                path,
                format!("is {value}; must be between {low} and {high}"),
            );
        }
    }

    pub(super) fn bounded(&mut self, path: String, span: Span) {
        if span > LONGEST {
            self.say(path, format!("is {span}; must be at most a year"));
        }
    }
}

/// What is wrong with a name that nothing has.
pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> String {
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
