//! What faults reach, and faults that cannot be.

use super::*;

#[test]
fn faults_reach_what_hangs_on_them() {
    let text = with_faults(
        "  - {inject: {power_loss: {feed: a}}, at: 1s, for: 1s}
  - {inject: {power_loss: {pdu: pdu-b}}, at: 1s, for: 1s}
  - {inject: {power_loss: {rack: r1}}, at: 1s, for: 1s}
  - {inject: {battery_open: {ups: ups-a}}, at: 1s, for: 1s}
  - {inject: {hang: {service: replica}}, at: 1s, for: 1s}
  - {inject: {link_down: {node: ups-a}}, at: 1s, for: 1s}
  - {inject: {partition: {link: [clients, replica]}}, at: 1s, for: 1s}
  - {inject: {sag: {utility: grid, to: 60%}}, at: 1s, for: 1s}",
    );
    let plan = planned(&text);
    let reach: Vec<String> = plan
        .faults
        .iter()
        .map(|f| {
            format!(
                "{}: {}",
                f.name,
                serde_json::to_string(&f.reach).expect("json")
            )
        })
        .collect();
    assert_snapshot!(reach.join("\n"));
}

#[test]
fn a_failover_needs_a_fault_above_a_ups() {
    let text = good_text().replace("utility_outage: {}", "breaker_opens: {pdu: pdu-a}");
    assert!(shown(&text).contains("`failover`: no fault reaches the input of a UPS"));
}

#[test]
fn fault_targets_that_do_not_exist() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {power_loss: {node: gpu-b}}, at: 1s, for: 1s}
  - {inject: {power_loss: {feed: c}}, at: 1s, for: 1s}
  - {inject: {breaker_opens: {pdu: pdua}}, at: 1s, for: 1s}
  - {inject: {battery_aged: {ups: ups-c, health: 130%}}, at: 1s, for: 1s}
  - {inject: {hang: {service: gatway}}, at: 1s, for: 1s}
  - {inject: {power_brake: {target: {node: supervisor}}}, at: 1s, for: 1s}
  - {inject: {partition: {link: [gateway, gpu-9]}}, at: 1s, for: 1s}
  - {inject: {loss: {link: [gw, gateway], probability: 140%}}, at: 1s, for: 1s}
  - {inject: {utility_outage: {utility: gird}}, during: outages}"
    )));
}

#[test]
fn fault_times_that_cannot_be() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {utility_outage: {}}}
  - {inject: {hang: {node: gpu-1}}, at: 3s}
  - {inject: {hang: {node: gpu-2}}, for: 3s}
  - {inject: {power_loss: {node: gpu-1}}, at: 40s, for: 1s}
  - {inject: {power_loss: {node: gpu-2}}, at: 30s, for: 20s}
  - {inject: {link_down: {node: gpu-1}}, during: outage, for: 30s}
  - {inject: {link_down: {node: gpu-2}}, during: outage, at: 25s}
  - {inject: {link_down: {node: gpu-3}}, at: 1s, for: 0s}"
    )));
}

#[test]
fn faults_that_undo_each_other() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {utility_outage: {}}, at: 1s, for: 5s}
  - {inject: {sag: {utility: grid, to: 50%}}, at: 4s, for: 5s}
  - {name: twice, inject: {hang: {node: gpu-1}}, at: 1s, for: 5s}
  - {name: twice, inject: {hang: {rack: r1}}, at: 5s, for: 5s}
  - {inject: {hang: {node: gpu-3}}, at: 5s, for: 5s}
  - {inject: {latency: {link: [gw, gpu-1], delay: 1ms}}, at: 1s, for: 5s}
  - {inject: {latency: {link: [gpu-1, gw], delay: 2ms, direction: a_to_b}}, at: 1s, for: 5s}"
    )));
}

#[test]
fn faults_may_follow_each_other_at_once() {
    let plan = planned(&with_faults(
        "  - {inject: {hang: {node: gpu-1}}, at: 1s, for: 2s}
  - {inject: {hang: {node: gpu-1}}, at: 3s, for: 2s}
  - {inject: {partition: {link: [gw, gpu-1], direction: a_to_b}}, at: 1s, for: 5s}
  - {inject: {partition: {link: [gpu-1, gw], direction: a_to_b}}, at: 1s, for: 5s}",
    ));
    assert_eq!(plan.faults[1].name, "hang-2");
}

#[test]
fn a_long_sag_is_a_brownout() {
    let text = good_text().replace("outage: 20s", "outage: 60s");
    let text = text.replace("utility_outage: {}", "sag: {to: 50%}");
    assert!(shown(&text).contains("a supply that stays low is a `brownout`"));
}

#[test]
fn fault_sizes_that_mean_nothing() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {sag: {to: 5%}}, at: 1s, for: 1s}
  - {inject: {brownout: {to: 100%}}, at: 3s, for: 1s}
  - {inject: {latency: {link: [gw, gpu-1], delay: 1ms, jitter: 2ms}}, at: 1s, for: 1s}
  - {inject: {power_brake: {target: {node: gpu-1}, clocks: 100%}}, at: 1s, for: 1s}
  - {inject: {loss: {link: [gw, gpu-1], probability: 0%}}, at: 1s, for: 1s}"
    )));
}
