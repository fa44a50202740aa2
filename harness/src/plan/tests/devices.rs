//! Faults of single power devices that cannot be, and what others reach.

use std::path::Path;

use super::*;

/// These faults on the site that has one of everything.
fn on_full(faults: &str) -> Result<Plan, String> {
    let text = with_faults(faults)
        .replace("site: sites/two-feed.yaml", "site: ../sites/full.yaml")
        .replace(
            "stack: stacks/reference.yaml",
            "stack: ../stacks/reference.yaml",
        );
    let path = Path::new("../playbooks/power/sample.yaml");
    match crate::plan::plan_source(path, &text) {
        Ok((_, plan)) => Ok(plan),
        Err(errors) => Err(errors.render(false)),
    }
}

fn wrong(faults: &str) -> String {
    match on_full(faults) {
        Ok(_) => "no error".into(),
        Err(text) => text,
    }
}

#[test]
fn devices_that_do_not_exist() {
    assert_snapshot!(wrong(
        "  - {inject: {swell: {utility: gird, to: 120%}}, at: 1s, for: 1s}
  - {inject: {frequency: {utility: gird, to: 49Hz}}, at: 1s, for: 1s}
  - {inject: {generator_fails: {generator: gen-2, how: start}}, at: 1s, for: 1s}
  - {inject: {ats_fails: {transfer: ats-2}}, at: 1s, for: 1s}
  - {inject: {ups_fails: {ups: ups-c}}, at: 1s, for: 1s}
  - {inject: {ups_bypass: {ups: ups-c}}, at: 1s, for: 1s}
  - {inject: {retransfer_fails: {ups: upsa}}, at: 1s, for: 1s}
  - {inject: {breaker_pickup: {pdu: pdu-x, to: 50%}}, at: 1s, for: 1s}
  - {inject: {outlet_off: {pdu: pdu-x, node: gpu-9}}, at: 1s, for: 1s}
  - {inject: {outlet_off: {pdu: pdu-c, node: gpu-1}}, at: 1s, for: 1s}
  - {inject: {psu_fails: {node: gpu-1, supply: 2}}, at: 1s, for: 1s}
  - {inject: {cooling_trips: {cooling: crac}}, at: 1s, for: 1s}
  - {inject: {power_cap: {target: {node: gpu-9}, to: 1kW}}, at: 1s, for: 1s}"
    ));
}

#[test]
fn device_faults_that_mean_nothing() {
    assert_snapshot!(wrong(
        "  - {inject: {swell: {to: 190%}}, at: 1s, for: 1s}
  - {inject: {swell: {to: 80%}}, at: 3s, for: 1s}
  - {inject: {frequency: {to: 50Hz}}, at: 1s, for: 1s}
  - {inject: {frequency: {to: 40Hz}}, at: 3s, for: 1s}
  - {inject: {waveform: {profile: []}}, at: 5s, for: 1s}
  - {inject: {generator_fails: {generator: gen-1, how: {overheat: {after: 0s}}}}, at: 1s, for: 1s}
  - {inject: {breaker_pickup: {pdu: pdu-a, to: 125%}}, at: 1s, for: 1s}
  - {inject: {breaker_pickup: {pdu: pdu-b, to: 0%}}, at: 1s, for: 1s}
  - {inject: {power_cap: {target: {node: gpu-1}, to: 100W}}, at: 1s, for: 1s}
  - {inject: {power_cap: {target: {node: gpu-2}, to: 3kW}}, at: 1s, for: 1s}
  - {inject: {power_cap: {target: {node: gpu-3}, to: 2.2kW}}, at: 1s, for: 1s}"
    ));
}

#[test]
fn device_faults_that_contradict() {
    assert_snapshot!(wrong(
        "  - {inject: {utility_outage: {}}, at: 1s, for: 5s}
  - {inject: {frequency: {to: 49Hz}}, at: 2s, for: 5s}
  - {inject: {swell: {to: 120%}}, at: 3s, for: 1s}
  - {inject: {ups_fails: {ups: ups-a}}, at: 1s, for: 5s}
  - {inject: {ups_bypass: {ups: ups-a}}, at: 2s, for: 5s}
  - {inject: {retransfer_fails: {ups: ups-b}}, at: 2s, for: 5s}
  - {inject: {retransfer_fails: {ups: ups-b}}, at: 3s, for: 5s}
  - {inject: {breaker_pickup: {pdu: pdu-a, to: 50%}}, at: 1s, for: 5s}
  - {inject: {breaker_opens: {pdu: pdu-a}}, at: 2s, for: 5s}
  - {inject: {power_brake: {target: {node: gpu-1}}}, at: 1s, for: 5s}
  - {inject: {power_cap: {target: {service: replica}, to: 1kW}}, at: 2s, for: 5s}"
    ));
}

#[test]
fn a_bypass_and_a_fault_of_its_own_are_looked_for_in_the_site() {
    let text = with_faults("  - {inject: {ups_bypass: {ups: ups-a}}, at: 1s, for: 1s}");
    assert!(shown(&text).contains("UPS `ups-a` has no static bypass"));
    let text = inline(
        &with_faults(
            "  - {inject: {generator_fails: {generator: gen-1, how: start}}, at: 1s, for: 1s}",
        ),
        SITE,
        &[(
            "utilities:",
            "generators: {gen-1: {rating: 9kW, backs: grid, fails_to_start: true}}\nutilities:",
        )],
    );
    assert!(
        shown(&text).contains("it cannot fail twice"),
        "{}",
        shown(&text)
    );
}

#[test]
fn a_swell_is_short_and_a_recording_fits() {
    let text = good_text().replace("outage: 20s", "outage: 60s");
    let text = text.replace("utility_outage: {}", "swell: {to: 120%}");
    assert!(shown(&text).contains("a swell from 5s to 65s is not a swell"));
    let long = "waveform: {profile: [[0s, 40%], [20s, 1pu]]}";
    let text = good_text().replace("utility_outage: {}", long);
    assert!(shown(&text).contains("longer than its fault"));
}

#[test]
fn device_faults_reach_what_hangs_on_them() {
    let plan = on_full(
        "  - {inject: {generator_fails: {generator: gen-1, how: {overheat: {after: 5s}}}}, at: 1s, for: 1s}
  - {inject: {ats_fails: {transfer: ats-1}}, at: 1s, for: 1s}
  - {inject: {ups_fails: {ups: ups-a}}, at: 1s, for: 1s}
  - {inject: {outlet_off: {pdu: pdu-a, node: gpu-1}}, at: 1s, for: 1s}
  - {inject: {psu_fails: {node: gpu-3}}, at: 1s, for: 1s}
  - {inject: {cooling_trips: {cooling: crac-1}}, at: 1s, for: 1s}
  - {inject: {power_cap: {target: {service: replica}, to: 1kW}}, at: 1s, for: 1s}
  - {inject: {waveform: {profile: [[0s, 40%], [500ms, 110%]]}}, at: 1s, for: 1s}",
    );
    let plan = plan.unwrap_or_else(|e| panic!("{e}"));
    let said = plan.faults.iter().map(|f| {
        let size = fault_size(&f.kind).unwrap_or_default();
        let reach = serde_json::to_string(&f.reach).expect("json");
        format!("{}: {}, {size}\n  {reach}", f.name, f.target)
    });
    assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}
