//! The promises: what they name exists, and they can be judged.

use ridethrough_targets::units::PerUnit;

use crate::playbook::{
    Assertion, EvictionAssert, LatencyAssert, NodesAssert, RechargeAssert, RetransferAssert, Scope,
    Source, Teller,
};

use super::super::machines::replicas;
use super::super::text::assertion_name;
use super::checker::Checker;
use super::{begun, common_mode, power, storage};

pub(super) fn check(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    if playbook.assert.is_empty() {
        c.wrong_key("assert", "the playbook promises nothing", "empty");
        c.hint("add one: `- continuity: {lost: 0, torn: 0}`");
    }
    for (i, assertion) in playbook.assert.iter().enumerate() {
        let path = format!("assert.{i}.{}", assertion_name(assertion));
        names(c, &path, assertion);
        needs(c, &path, assertion);
        bounds(c, &path, assertion);
        if !profiled(c) {
            begun::check(c, &path, assertion);
        }
    }
}

fn names(c: &mut Checker<'_>, path: &str, assertion: &Assertion) {
    match assertion {
        Assertion::Failover(a) => {
            ups(c, path, a.ups.as_deref());
            phase(c, path, a.during.as_deref());
        }
        Assertion::Battery(a) => {
            ups(c, path, a.ups.as_deref());
            phase(c, path, a.during.as_deref());
        }
        Assertion::Continuity(a) => scope(c, &format!("{path}.of"), &a.of),
        Assertion::Availability(a) => scope(c, &format!("{path}.of"), &a.of),
        Assertion::Latency(a) => {
            phase(c, path, a.during.as_deref());
            class(c, path, a.class.as_deref());
        }
        Assertion::Goodput(a) => {
            phase(c, path, a.during.as_deref());
            class(c, path, a.class.as_deref());
        }
        Assertion::Eviction(a) | Assertion::Readmission(a) => {
            replica(c, path, a);
            phase(c, path, a.during.as_deref());
        }
        Assertion::Supervisor(a) => phase(c, path, a.during.as_deref()),
        Assertion::Recovery(a) => phase(c, path, a.during.as_deref()),
        Assertion::Detection(a) => phase(c, path, a.during.as_deref()),
        Assertion::Nodes(a) => phase(c, path, a.during.as_deref()),
        Assertion::NoCommonMode(a) => common_mode::check(c, path, a),
        Assertion::Energy(_) => {}
        Assertion::RideThrough(a) => {
            power::buses(c, path, &a.at);
            phase(c, path, a.during.as_deref());
        }
        Assertion::Generator(a) => {
            power::generator(c, path, a.generator.as_deref());
            phase(c, path, a.during.as_deref());
        }
        Assertion::Temperature(a) => {
            power::cooling(c, path, a.cooling.as_deref());
            phase(c, path, a.during.as_deref());
        }
        Assertion::NoFalseShutdown(a) => phase(c, path, a.during.as_deref()),
        Assertion::ShutdownOrder(a) => {
            power::machines(c, path, &a.machines);
            phase(c, path, a.during.as_deref());
        }
        Assertion::Retransfer(RetransferAssert {
            ups: name, during, ..
        })
        | Assertion::Recharge(RechargeAssert {
            ups: name, during, ..
        }) => {
            ups(c, path, name.as_deref());
            phase(c, path, during.as_deref());
        }
        Assertion::Durability(a) => {
            storage::durability(c, path, a);
            phase(c, path, a.during.as_deref());
        }
        Assertion::TruthLag(a) => {
            match (&a.ups, a.via) {
                (Some(name), Teller::Modbus) => {
                    let all = c.playbook.site.bess.keys().map(String::as_str);
                    c.exists(&format!("{path}.ups"), ("BESS", "the site"), name, all);
                }
                (name, _) => ups(c, path, name.as_deref()),
            }
            phase(c, path, a.during.as_deref());
        }
    }
}

fn scope(c: &mut Checker<'_>, path: &str, scope: &Scope) {
    phase(c, path, scope.during.as_deref());
    class(c, path, scope.class.as_deref());
    if scope.at_least == Some(0) {
        let message = "a promise about no requests holds by itself";
        c.wrong(&format!("{path}.at_least"), message, "at least 1");
    }
}

fn phase(c: &mut Checker<'_>, path: &str, name: Option<&str>) {
    if let Some(name) = name {
        let phases = c.playbook.phases.keys().map(String::as_str);
        let owner = ("phase", "the playbook");
        c.exists(&format!("{path}.during"), owner, name, phases);
    }
}

fn class(c: &mut Checker<'_>, path: &str, name: Option<&str>) {
    if let Some(name) = name {
        let mut classes: Vec<&str> = Vec::new();
        for load in &c.playbook.load {
            if !classes.contains(&load.class.as_str()) {
                classes.push(&load.class);
            }
        }
        c.exists(
            &format!("{path}.class"),
            ("class", "the load"),
            name,
            classes,
        );
    }
}

fn ups(c: &mut Checker<'_>, path: &str, name: Option<&str>) {
    let all = c.playbook.site.ups.keys().map(String::as_str);
    if let Some(name) = name {
        c.exists(&format!("{path}.ups"), ("UPS", "the site"), name, all);
    }
}

fn replica(c: &mut Checker<'_>, path: &str, a: &EvictionAssert) {
    if let Some(name) = &a.replica {
        let all: Vec<&str> = replicas(&c.playbook.stack).map(|(node, _)| node).collect();
        let owner = ("replica", "the stack");
        c.exists(&format!("{path}.replica"), owner, name, all);
    }
}

/// Whether a utility may fail by itself.
fn profiled(c: &Checker<'_>) -> bool {
    let mut utilities = c.playbook.site.utilities.values();
    utilities.any(|u| !u.profile.is_empty()) || c.unsure(|gaps| gaps.below("site.utilities"))
}

/// What a promise needs of the playbook to mean anything.
fn needs(c: &mut Checker<'_>, path: &str, assertion: &Assertion) {
    let playbook = c.playbook;
    let name = assertion_name(assertion);
    let powered = !playbook.site.ups.is_empty() || c.unsure(|gaps| !gaps.names_stand("UPS"));
    let needs_ups = matches!(
        assertion,
        Assertion::Failover(_)
            | Assertion::Supervisor(_)
            | Assertion::Battery(_)
            | Assertion::Retransfer(_)
            | Assertion::Recharge(_)
            | Assertion::NoFalseShutdown(_)
            | Assertion::TruthLag(_)
    );
    // Some speak of storage systems too.
    let spoken_of = match assertion {
        Assertion::Supervisor(_) => !playbook.site.bess.is_empty(),
        Assertion::TruthLag(a) => a.via == Teller::Modbus && !playbook.site.bess.is_empty(),
        _ => false,
    };
    if needs_ups && !powered && !spoken_of {
        let message = format!("`{name}` needs a UPS, and the site has none");
        c.wrong_key(path, message, "nothing to look at");
        return;
    }
    if let Assertion::Supervisor(a) = assertion
        && a.via == Source::Supervisor
        && playbook.site.supervisor.external
    {
        let message = "the site's supervisor is external, and says nothing here".to_string();
        c.wrong(&format!("{path}.via"), message, "not heard");
        c.hint("ask the UPSs' cards: `via: nut`");
    }
    let needs_fault = matches!(
        assertion,
        Assertion::Failover(_)
            | Assertion::Recovery(_)
            | Assertion::Eviction(_)
            | Assertion::Readmission(_)
            | Assertion::Detection(_)
            | Assertion::Retransfer(_)
            | Assertion::Recharge(_)
            | Assertion::Durability(_)
    );
    let profiled = profiled(c);
    let faultless = playbook.faults.is_empty() && c.unsure(|gaps| !gaps.near("faults", 0));
    if needs_fault && faultless && !profiled {
        let message = format!("`{name}` speaks of faults, and the playbook has none");
        c.wrong_key(path, message, "nothing breaks");
        return;
    }
    if let Assertion::Failover(a) = assertion
        && !profiled
    {
        input_is_hit(c, path, a.ups.as_deref());
    }
    let gateways = playbook
        .stack
        .services
        .values()
        .any(|s| s.gateway.is_some())
        || c.unsure(|gaps| gaps.near("stack.services", 1));
    let needs_gateway = matches!(
        assertion,
        Assertion::Eviction(_) | Assertion::Readmission(_)
    );
    if needs_gateway && !gateways {
        let message = format!("`{name}` is told by a reference gateway, and the stack has none");
        c.wrong_key(path, message, "nobody says so");
    }
}

/// A failover is of a UPS whose input fails.
fn input_is_hit(c: &mut Checker<'_>, path: &str, ups: Option<&str>) {
    // A misspelt utility was reported; what it would have hit is unknown.
    if c.problems.iter().any(|problem| problem.unresolved) {
        return;
    }
    // So is what a fault or site hits that could not be read.
    let wires = |gap: &str| gap.contains(".inject") || gap.matches('.').count() < 2;
    if c.unsure(|gaps| gaps.below("site") || gaps.any(|g| g.starts_with("faults") && wires(g))) {
        return;
    }
    let wiring = c.wiring;
    let faults = c.playbook.faults.iter();
    let hit = faults
        .map(|fault| wiring.reach(&fault.inject))
        .any(|reach| {
            let named = |name| reach.ups.iter().any(|hit| hit == name);
            !reach.utilities.is_empty() && ups.map_or(!reach.ups.is_empty(), named)
        });
    if !hit {
        let of = ups.unwrap_or("a UPS");
        let message = format!("`failover`: no fault reaches the input of {of}");
        c.wrong_key(path, message, "nothing to fail over from");
        c.hint("a `utility_outage`, `sag` or `brownout` of the utility above it does");
    }
}

fn bounds(c: &mut Checker<'_>, path: &str, assertion: &Assertion) {
    match assertion {
        Assertion::Latency(a) => latency(c, path, a),
        Assertion::Availability(a) => share(c, path, "at_least", a.at_least),
        Assertion::Battery(a) => share(c, path, "charge_at_least", a.charge_at_least),
        Assertion::Recharge(a) => share(c, path, "to", a.to),
        Assertion::Goodput(a) if a.at_least.get() <= 0.0 => {
            let message = "`goodput` of nothing always holds";
            c.wrong(&format!("{path}.at_least"), message, "above 0");
        }
        Assertion::Nodes(a) => nodes(c, path, a),
        _ => {}
    }
}

fn share(c: &mut Checker<'_>, path: &str, key: &str, share: PerUnit) {
    if share.get() > 1.0 {
        let message = format!("at least {share} can never hold");
        c.wrong(&format!("{path}.{key}"), message, "at most 100%");
    }
}

fn latency(c: &mut Checker<'_>, path: &str, a: &LatencyAssert) {
    let bounds = [
        ("p50", a.p50),
        ("p90", a.p90),
        ("p99", a.p99),
        ("max", a.max),
    ];
    if bounds.iter().all(|(_, bound)| bound.is_none()) {
        c.wrong_key(path, "`latency` has no bound", "how long?");
        c.hint("give it one of `p50`, `p90`, `p99` or `max`: `p99: 800ms`");
    }
    let given: Vec<_> = bounds
        .iter()
        .filter_map(|(key, bound)| bound.map(|b| (*key, b)))
        .collect();
    for pair in given.windows(2) {
        let [(low, small), (high, large)] = pair else {
            continue;
        };
        if small > large {
            let message = format!("`{low}` of {small} is looser than `{high}` of {large}");
            c.wrong(&format!("{path}.{low}"), message, "never binds");
        }
    }
}

fn nodes(c: &mut Checker<'_>, path: &str, a: &NodesAssert) {
    let all = [
        a.lost_at_most,
        a.lost_at_least,
        a.braked_at_most,
        a.braked_at_least,
    ];
    if all.iter().all(Option::is_none) {
        c.wrong_key(path, "`nodes` has no bound", "how many?");
        c.hint(
            "give it one of `lost_at_most`, `lost_at_least`, `braked_at_most` or `braked_at_least`",
        );
    }
    let pairs = [
        ("lost", a.lost_at_least, a.lost_at_most),
        ("braked", a.braked_at_least, a.braked_at_most),
    ];
    for (what, least, most) in pairs {
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            let message = format!("at least {least} and at most {most} machines {what}");
            c.wrong(
                &format!("{path}.{what}_at_least"),
                message,
                "cannot both hold",
            );
        }
    }
}
