//! Faults of the network that cannot be, and what those that can reach.

use super::*;

/// Each of these is wrong, and told.
fn told(faults: &str, messages: &[&str]) {
    let shown = shown(&with_faults(faults));
    for message in messages {
        let wrong = format!("× {message}\n");
        assert!(shown.contains(&wrong), "not told: {message}\n{shown}");
    }
}

#[test]
fn names_that_cannot_fail() {
    told(
        "  - {inject: {dns: {target: {node: gw}, names: [], answer: silence}}, at: 1s, for: 1s}
  - {inject: {dns: {target: {node: gpu-1}, names: [gpu-2], answer: {address_of: gpu-2}}}, at: 1s, for: 1s}",
        &["no name resolves wrongly", "`gpu-2` resolves to its own address"],
    );
}

#[test]
fn network_faults_that_mean_nothing() {
    told(
        "  - {inject: {latency: {link: [gw, gpu-1], delay: 5ms, correlation: 100%}}, at: 1s, for: 1s}
  - {inject: {duplicate: {link: [gw, gpu-1], probability: 0%}}, at: 1s, for: 1s}
  - {inject: {corrupt: {link: [gw, gpu-1], probability: 101%}}, at: 1s, for: 1s}
  - {inject: {reset: {link: [gw, gpu-1], probability: 0%, port: 0}}, at: 1s, for: 1s}
  - {inject: {reorder: {link: [gw, gpu-1], probability: 95%, by: 1ms}}, at: 1s, for: 1s}
  - {inject: {rate: {link: [gw, gpu-1], rate: 0bit/s}}, at: 1s, for: 1s}
  - {inject: {flap: {link: [gw, gpu-1], period: 1s, down: 1s}}, at: 1s, for: 1s}
  - {inject: {flap: {link: [gw, gpu-2], period: 1s, down: 5ms}}, at: 1s, for: 1s}
  - {inject: {mtu: {link: [gw, gpu-1], mtu: 67}}, at: 1s, for: 1s}
  - {inject: {mtu: {link: [gw, gpu-2], mtu: 1500}}, at: 1s, for: 1s}",
        &[
            "a correlation of 100%",
            "a share of copies of nothing",
            "a share of damage of 101%",
            "a share of resets of nothing",
            "no packet is from or to port 0",
            "95% of packets held back",
            "packets held back by 1ms",
            "a rate of nothing",
            "dark for 1s of every 1s",
            "dark for 5ms",
            "an MTU of 67 bytes",
            "an MTU of 1500 bytes",
        ],
    );
}

#[test]
fn bursts_that_cannot_be() {
    told(
        "  - {inject: {burst_loss: {link: [gw, gpu-1]}}, at: 1s, for: 1s}
  - {inject: {burst_loss: {link: [gw, gpu-2], gilbert_elliott: {p: 1%, r: 20%}, four_state: {p13: 1%, p31: 20%}}}, at: 1s, for: 1s}
  - {inject: {burst_loss: {link: [gw, gpu-3], gilbert_elliott: {p: 120%, r: 0%}}}, at: 1s, for: 1s}
  - {inject: {burst_loss: {link: [gpu-1, gpu-2], gilbert_elliott: {p: 0%, r: 0%, loss_good: 50%, loss_bad: 40%}}}, at: 1s, for: 1s}
  - {inject: {burst_loss: {link: [gpu-1, gpu-3], four_state: {p13: 60%, p31: 70%, p32: 50%, p14: 50%}}}, at: 1s, for: 1s}
  - {inject: {burst_loss: {link: [gpu-2, gpu-3], four_state: {p13: 0%, p31: 0%, p32: 10%, p23: 0%}}}, at: 1s, for: 1s}",
        &[
            "losses follow no model",
            "losses follow two models at once",
            "a probability of 120%",
            "a bad state that never begins",
            "a bad state that never ends",
            "a bad state that loses 40%, and a good one 50%",
            "p31 and p32 are 120%, and both leave state 3",
            "p13 and p14 are 110%, and both leave state 1",
            "a burst that never ends",
            "a link that never loses anything",
            "a gap in a burst that never ends",
        ],
    );
}

#[test]
fn links_end_at_racks_too_and_ports_keep_faults_apart() {
    let plan = planned(&with_faults(
        "  - {inject: {loss: {link: [gw, r2], probability: 5%, port: 8001}}, at: 1s, for: 5s}
  - {inject: {loss: {link: [gw, r2], probability: 9%, port: 9001}}, at: 1s, for: 5s}
  - {inject: {latency: {link: [gw, r2], delay: 9ms, jitter: 3ms, distribution: pareto, correlation: 25%}}, at: 1s, for: 5s}
  - {inject: {burst_loss: {link: [gw, r2], gilbert_elliott: {p: 2%, r: 25%}, direction: a_to_b}}, at: 9s, for: 5s}",
    ));
    let text = |at: usize| {
        let fault = &plan.faults[at];
        let size = super::super::text::fault_size(&fault.kind);
        format!("{}: {}", fault.target, size.unwrap_or_default())
    };
    assert_eq!(text(0), "gw <-> r2, port 8001: 5%");
    assert_eq!(text(2), "gw <-> r2: +9ms ± 3ms Pareto, 25% correlated");
    assert_eq!(text(3), "gw -> r2: 7.4% in bursts of 4.0");
    let (_, far) = plan.faults[0].reach.link.clone().expect("a link");
    assert!(
        !far.is_empty() && far.iter().all(|node| node.starts_with("gpu")),
        "{far:?}"
    );
}

#[test]
fn network_faults_on_one_port_or_on_all_collide() {
    let text = with_faults(
        "  - {inject: {reset: {link: [gw, gpu-1], port: 8001}}, at: 1s, for: 5s}
  - {inject: {reset: {link: [gpu-1, gw]}}, at: 1s, for: 5s}",
    );
    assert!(
        shown(&text).contains("overlaps another"),
        "{}",
        shown(&text)
    );
}
