//! Supervisors, their policy, cards, and telemetry that fails.

use super::*;

/// The good playbook with its site in place, and some of it changed.
fn with_site(changes: &[(&str, &str)]) -> String {
    inline(&good_text(), SITE, changes)
}

#[test]
fn telemetry_faults_that_cannot_be() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {telemetry_stale: {devices: [ups-x]}}, at: 1s, for: 1s}
  - {inject: {telemetry_lost: {devices: [ups-a], via: [modbus]}}, at: 1s, for: 1s}
  - {inject: {telemetry_lie: {devices: [ups-a], variable: chrage, value: 1}}, at: 1s, for: 1s}
  - {inject: {telemetry_lie: {devices: [ups-a], variable: charge, value: full}}, at: 3s, for: 1s}
  - {inject: {telemetry_scale: {devices: [ups-a], via: [nut], variable: status, factor: 2}}, at: 1s, for: 1s}
  - {inject: {telemetry_scale: {devices: [ups-a], via: [nut], variable: charge, factor: 1}}, at: 1s, for: 1s}
  - {inject: {telemetry_slow: {by: 0s}}, at: 1s, for: 1s}
  - {inject: {telemetry_flapping: {period: 20ms}}, at: 1s, for: 1s}
  - {inject: {telemetry_stale: {devices: [ups-b]}}, at: 5s, for: 3s}
  - {inject: {telemetry_stale: {via: [nut]}}, at: 6s, for: 1s}"
    )));
}

#[test]
fn policies_that_cannot_be() {
    let policy = "name: two feeds
cards: {ups-a: pdu-z, ups-q: pdu-a}
supervisor:
  generators: {}
  shed:
    - {when: {}, racks: [r9]}
    - {when: {on_battery_for: 1s}, cap: 120%}
";
    let text = with_site(&[("name: two feeds", policy)]);
    assert_snapshot!(shown(&text));
    let word = with_site(&[("name: two feeds", "name: two feeds\nsupervisor: extern")]);
    assert!(shown(&word).contains("expected settings or `external`, found `extern`"));
}

#[test]
fn a_supervisor_of_others_takes_the_place_of_ours() {
    let external = ("name: two feeds", "name: two feeds\nsupervisor: external");
    let text = with_site(&[external]);
    let heard = shown(&text.replace("via: nut", "via: supervisor"));
    assert!(
        heard.contains("is external, and says nothing here"),
        "{heard}"
    );
    let planned = planned(&text);
    assert!(planned.node("supervisor").is_none());
    let watch = planned.node("monitor").expect("a monitor").services.iter();
    let configs: Vec<String> = watch
        .filter_map(|s| match &s.program {
            Program::Builtin { name, config } if name == "watch" => {
                Some(config["host"].to_string())
            }
            _ => None,
        })
        .collect();
    assert_eq!(configs, ["null"]);
}
