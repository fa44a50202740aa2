//! Plans, and playbooks that parse but cannot be.

use std::path::Path;

use insta::assert_snapshot;
use proptest::prelude::*;
use ridethrough_targets::plant::SiteError;
use ridethrough_targets::service::Program;
use ridethrough_targets::units::Span;

use super::*;
use crate::playbook::tests::{GOOD, SITE, STACK, errors, good, good_text, inline, shown};
use crate::playbook::{Loaded, PlaybookErrors, load_text};

fn planned(text: &str) -> Plan {
    let plan = load_text(Path::new(GOOD), text).and_then(|loaded| plan(&loaded));
    plan.unwrap_or_else(|errors| panic!("{}", errors.render(false)))
}

/// The good playbook with other faults, all else alike.
fn with_faults(faults: &str) -> String {
    let text = good_text();
    let (before, rest) = text.split_once("faults:").expect("faults");
    let (_, after) = rest.split_once("assert:").expect("promises");
    let (after, _) = after.split_once("controls:").expect("controls");
    // Not every fault is one that a UPS takes over from.
    let after = after.replace("failover: {to: battery,", "recovery: {");
    format!("{before}faults:\n{faults}\nassert:{after}")
}

/// The good playbook with other promises and no controls.
fn with_promises(promises: &str) -> String {
    let text = good_text();
    let (before, _) = text.split_once("assert:").expect("promises");
    format!("{before}assert:\n{promises}\n")
}

#[test]
fn times_are_absolute() {
    let plan = planned(&good_text());
    let phases: Vec<_> = plan
        .phases
        .iter()
        .map(|p| (p.name.as_str(), p.start.to_string(), p.end.to_string()))
        .collect();
    let expected = [
        ("baseline", "0s", "5s"),
        ("outage", "5s", "25s"),
        ("recovery", "25s", "35s"),
    ];
    let expected = expected.map(|(name, start, end)| (name, start.into(), end.into()));
    assert_eq!(phases, expected);
    let faults: Vec<_> = plan
        .faults
        .iter()
        .map(|f| (f.at.to_string(), f.until.to_string()))
        .collect();
    let expected = [("5s", "25s"), ("10s", "15s"), ("26s", "28s")];
    assert_eq!(faults, expected.map(|(a, b)| (a.into(), b.into())));
    assert_eq!(plan.total, Span::from_secs(35));
    let phase = plan.phase_at(Span::from_secs(25)).expect("within");
    assert_eq!(phase.name, "recovery");
}

#[test]
fn nodes_have_addresses_and_services() {
    let plan = planned(&good_text());
    let nodes: Vec<String> = plan
        .nodes
        .iter()
        .map(|node| {
            let services: Vec<_> = node.services.iter().map(|s| s.name.as_str()).collect();
            format!("{} {} {}", node.name, node.ip, services.join("+"))
        })
        .collect();
    assert_snapshot!(nodes.join("\n"));
    assert_eq!(plan.entry, ("gw".to_string(), 8000));
    assert_eq!(plan.hosts.len(), plan.nodes.len());
    assert_eq!(plan.loads.len(), 4);
}

#[test]
fn a_gateway_knows_its_replicas_and_its_power() {
    let plan = planned(&good_text());
    let gateway = &plan.node("gw").expect("gw").services[0];
    let Program::Builtin { config, .. } = &gateway.program else {
        panic!("a gateway is a function of this binary");
    };
    assert_eq!(config["replicas"][1]["host"], "gpu-2");
    assert_eq!(config["replicas"][1]["port"], 8001);
    assert_eq!(config["power"]["nut"], "supervisor:3493");
    assert_eq!(
        config["power"]["ups"],
        serde_json::json!(["ups-a", "ups-b"])
    );
}

#[test]
fn the_infrastructure_is_told_where_everything_is() {
    let plan = planned(&good_text());
    let config = |node: &str, service: &str| {
        let services = &plan.node(node).expect("a node").services;
        let service = services.iter().find(|s| s.name == service);
        match service.map(|s| &s.program) {
            Some(Program::Builtin { config, .. }) => config.clone(),
            other => panic!("{other:?}"),
        }
    };
    let card = config("ups-a", "card");
    assert_eq!(card["devices"][0]["description"], "VFI 20kW");
    assert_eq!(
        (&card["nut"]["port"], &card["snmp"]["port"]),
        (&3493.into(), &161.into())
    );
    assert!(card["modbus"].is_null() && card["redfish"].is_null());
    let manager = config("r1-manager", "card");
    assert_eq!(manager["devices"][0]["kind"], "machine");
    assert_eq!(manager["redfish"]["port"], 80);
    let asked = config("monitor", "probe");
    assert_eq!(asked["devices"]["pdu-b"]["host"], "pdu-b");
    let supervisor = config("supervisor", "supervisor");
    assert_eq!(supervisor["devices"][1]["host"], "ups-b");
    assert_eq!(supervisor["devices"][1]["description"], "VFI 20kW");
    assert_eq!(supervisor["policy"]["poll"], "100ms");
    assert_eq!(config("monitor", "watch")["host"], "supervisor");
}

/// What the watch adds to a latency must stay small beside the poll itself.
#[test]
fn the_watch_looks_four_times_as_often_as_its_supervisor() {
    for (supervisor, watch) in [("4s", "1s"), ("1s", "250ms"), ("100ms", "100ms")] {
        let policy =
            format!("name: two feeds\nsupervisor: {{poll: {supervisor}, stale_after: 9s}}");
        let site = inline(&good_text(), SITE, &[("name: two feeds", &policy)]);
        let plan = planned(&site);
        let services = &plan.node("monitor").expect("a monitor").services;
        let service = services.iter().find(|service| service.name == "watch");
        let Some(Program::Builtin { config, .. }) = service.map(|s| &s.program) else {
            panic!("a watch is a function of this binary");
        };
        assert_eq!(config["poll"], watch, "beside {supervisor}");
    }
}

#[test]
fn seeds_differ_by_node_and_service_and_follow_the_seed() {
    let seeds = |plan: &Plan| -> Vec<u64> {
        let services = plan.nodes.iter().flat_map(|n| &n.services);
        services.map(|s| s.seed).collect()
    };
    let first = seeds(&planned(&good_text()));
    let mut unique = first.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), first.len());
    assert_eq!(first, seeds(&planned(&good_text())));
    let other = seeds(&planned(&good_text().replace("site: ", "seed: 2\nsite: ")));
    assert!(first.iter().all(|seed| !other.contains(seed)));
}

#[test]
fn the_resolved_yaml_is_the_same_playbook() {
    let text = good_text()
        .replace("baseline: 5s", "baseline: 5.000001s")
        .replace("rate: 2/s", "rate: 100/h")
        .replace("prompt_tokens: 32..256", "prompt_tokens: 64");
    let plan = planned(&text);
    let again = planned(&plan.yaml);
    assert_eq!(plan.playbook, again.playbook);
    assert_eq!(plan.hash, again.hash);
    assert_eq!(plan.hash.len(), 64);
    assert!(!plan.yaml.contains("null"));
}

#[test]
fn a_site_without_ups_has_no_supervisor() {
    let site = "site:
  name: bare
  utilities: {grid: {}}
  pdus: {pdu-a: {from: grid, breaker: {rating: 63A}}}
  racks: {r1: {cords: [pdu-a]}, r2: {cords: [pdu-a]}}";
    let text = with_promises("  - continuity: {}").replace(SITE, site);
    let plan = planned(&text);
    assert!(plan.node("supervisor").is_none());
    assert_eq!(plan.node("clients").expect("clients").services.len(), 1);
    let text = with_promises("  - failover: {to: battery, within: 1s}").replace(SITE, site);
    assert!(shown(&text).contains("`failover` needs a UPS, and the site has none"));
}

#[test]
fn promises_as_sentences() {
    let text = with_promises(
        "  - failover: {to: utility, within: 0s, ups: ups-a}
  - supervisor: {reports: recovered, via: supervisor, within: 30s}
  - continuity: {lost: 2, torn: 0, shed: 0, resumed_at_least: 1, of: {during: outage, cohort: in_flight}}
  - latency: {of: silence, p50: 1s, max: 4s, class: batch, cohort: sent_elsewhere}
  - latency: {of: itl, p99: 80ms}
  - availability: {at_least: 99.9%}
  - goodput: {at_least: 10/s, ttft: 1s, tpot: 50ms, during: recovery}
  - eviction: {within: 2s}
  - readmission: {within: 2s, replica: gpu-2}
  - battery: {charge_at_least: 80%}
  - detection: {within: 3s}
  - nodes: {lost_at_most: 0, braked_at_least: 1}",
    );
    let plan = planned(&text);
    let sentences: Vec<_> = plan.assertions.iter().map(|a| a.text.as_str()).collect();
    assert_snapshot!(sentences.join("\n"));
}

#[test]
fn promises_that_cannot_be_judged() {
    assert_snapshot!(shown(&with_promises(
        "  - latency: {of: ttft}
  - latency: {of: ttft, p50: 2s, p99: 1s, during: outrage}
  - continuity: {of: {class: interactiv, at_least: 0}}
  - eviction: {within: 1s, replica: gw}
  - battery: {charge_at_least: 120%, ups: ups-x}
  - nodes: {}
  - goodput: {at_least: 0/s}"
    )));
}

#[test]
fn loads_and_phases_that_cannot_be() {
    assert_snapshot!(errors(&[
        ("name: nightly", "name: chat"),
        ("rate: 2/s", "rate: 0/s"),
        ("output_tokens: 40..120", "output_tokens: 0..120"),
        ("baseline: 5s", "baseline: 0s"),
    ]));
    assert_snapshot!(errors(&[(
        "{baseline: 5s, outage: 20s, recovery: 10s}",
        "{baseline: 5s, outage: 90d}"
    ),]));
}

#[test]
fn stacks_that_cannot_be() {
    assert_snapshot!(shown(&inline(
        &good_text(),
        STACK,
        &[
            ("gpu-3: {rack: r2", "GPU_3: {rack: r9"),
            ("on: [gpu-1,", "on: [gpu-1, gpu-1, gpu-x,"),
            (
                "gateway: {}",
                "gateway: {}\n    port: 80\n  idle: {on: [], replica: {}, command: [x]}\n  nothing: {on: [gw]}"
            ),
            ("  gpu-2:", "  clients: {rack: r1}\n  gpu-2:"),
        ],
    )));
    assert_snapshot!(shown(&inline(
        &good_text(),
        STACK,
        &[("gateway: {}", "command: [serve]")],
    )));
    assert_snapshot!(shown(&inline(
        &good_text(),
        STACK,
        &[
            ("name: reference", "name: reference\nentry: gatewy"),
            (
                "replica: {slots: 16}",
                "replica: {slots: 16}\n  second: {on: [gpu-3], replica: {}}"
            ),
        ],
    )));
}

#[test]
fn two_gateways_need_an_entry() {
    let second = "gateway: {}\n  second: {on: [gpu-1], gateway: {}}";
    let text = inline(&good_text(), STACK, &[("gateway: {}", second)]);
    // The control's short path would mean either gateway's.
    let text = text.replace("stack.gateway.mode", "stack.services.gateway.gateway.mode");
    assert!(shown(&text).contains("name it: `entry: gateway`"));
    let text = text.replace("name: reference", "name: reference\n  entry: second");
    assert_eq!(planned(&text).entry, ("gpu-1".to_string(), 8000));
}

#[test]
fn problems_of_the_plant_stand_at_their_places() {
    let loaded: Loaded = good();
    let mut checker = check::Checker::new(&loaded);
    let errors = [
        (
            "pdus.pdu-a.from",
            "no component `ups-a`; the site has grid, ups-b",
        ),
        ("racks.r1.cords", "no pdu `pdu-b`; the site has pdu-a"),
        (
            "ups.ups-b.battery.health",
            "is 3; must be between 0.001 and 1",
        ),
        ("nodes.gw.peak", "must not be below idle"),
        ("ups.ups-a", "the name is taken: pdus.ups-a"),
    ];
    for (component, problem) in errors {
        let error = SiteError {
            component: component.into(),
            problem: problem.into(),
        };
        check::report(&mut checker, &error);
    }
    let errors = PlaybookErrors::collect(checker.problems, &loaded.sources).expect("some");
    assert_snapshot!(errors.render(false));
}

#[test]
fn controls_are_checked_as_playbooks() {
    assert_snapshot!(errors(&[
        ("site.ups-a.battery.condition: open", "phases.outage: 0s"),
        ("name: dead battery", "name: shorter"),
    ]));
    let nothing = "      site.ups-a.battery.condition: ok\n    fails: failover\n";
    let text = good_text();
    let (before, _) = text.split_once("      site.ups-a").expect("a control");
    assert_snapshot!(shown(&format!("{before}{nothing}")));
}

proptest! {
    #[test]
    fn phases_have_no_gaps(lengths in prop::collection::vec(1u64..5_000_000, 1..8)) {
        let written = lengths.iter().enumerate();
        let written = written.map(|(i, us)| (format!("p{i}"), Span::from_micros(*us)));
        let phases = time::phases(&written.collect());
        let mut end = Span::default();
        for (phase, length) in phases.iter().zip(&lengths) {
            prop_assert_eq!(phase.start, end);
            prop_assert_eq!(phase.end.micros() - phase.start.micros(), *length);
            end = phase.end;
        }
    }

    #[test]
    fn addresses_differ(a in 0usize..address::MOST, b in 0usize..address::MOST) {
        prop_assert_eq!(a == b, address::machine(a) == address::machine(b));
        prop_assert!(address::machine(a) != address::card(b));
        prop_assert!(address::machine(a).octets()[..2] == [10, 77]);
    }
}

mod compound;
mod devices;
mod faults;
mod foreign;
mod network;
mod storage;
mod supervision;
mod windows;
