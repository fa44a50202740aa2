//! Faults that are repeated, drawn, or wait; and the blast radius.

use super::*;

#[test]
fn repetitions_are_planned_one_by_one() {
    let plan = planned(&with_faults(
        "  - {inject: {sag: {to: 50%}}, at: 2s, for: 200ms, every: 3s, times: 4}
  - {name: drop, inject: {hang: {node: gpu-1}}, during: outage, for: 5s, every: 6s}",
    ));
    let all = plan.faults.iter();
    let all = all.map(|f| format!("{} {} {}-{}", f.index, f.name, f.at, f.until));
    let all: Vec<String> = all.collect();
    let expected = [
        "0 sag 2s-2.2s",
        "1 sag-2 5s-5.2s",
        "2 sag-3 8s-8.2s",
        "3 sag-4 11s-11.2s",
        // The outage is from 5 s to 25 s.
        "4 drop 5s-10s",
        "5 drop-2 11s-16s",
        "6 drop-3 17s-22s",
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_is_drawn_follows_from_the_seed() {
    let text = with_faults(
        "  - inject: {hang: {node: gpu-1}}
    or: [{hang: {node: gpu-2}}, {hang: {node: gpu-3}}]
    at: 1s
    for: 100ms
    every: 1100ms
    times: 30",
    );
    let targets =
        |plan: &Plan| -> Vec<String> { plan.faults.iter().map(|f| f.target.clone()).collect() };
    let mut plan = planned(&text);
    let first = targets(&plan);
    assert_eq!(first, targets(&planned(&text)));
    for node in ["node gpu-1", "node gpu-2", "node gpu-3"] {
        let drawn = first.iter().filter(|t| *t == node).count();
        assert!((3..=19).contains(&drawn), "{node} {drawn} times of 30");
    }
    plan.reseed(7);
    assert_ne!(first, targets(&plan));
    // One fault more changes none of the draws.
    let more = text.replace(
        "faults:\n",
        "faults:\n  - {inject: {link_down: {node: gpu-1}}, at: 20s, for: 1s}\n",
    );
    let reach: Vec<_> = planned(&more).faults[1..]
        .iter()
        .map(|f| f.target.clone())
        .collect();
    assert_eq!(reach.len(), first.len());
}

#[test]
fn an_occasion_has_a_bound_and_somebody_who_tells() {
    let plan = planned(&with_faults(
        "  - {inject: {hang: {node: gpu-1}}, at: 2s, for: 1s, when: {token: 20}, within: 9s}
  - {inject: {hang: {node: gpu-2}}, during: outage, for: 2s, when: {supervisor: on_battery}}
  - {inject: {hang: {node: gpu-3}}, at: 2s, for: 1s, when: {prefill: {on: gpu-3, at_least: 2}}, within: 4s}",
    ));
    let all = plan.faults.iter().map(|f| {
        let occasion = f.occasion.as_ref().expect("an occasion");
        let tellers: Vec<_> = occasion
            .tellers
            .iter()
            .map(|(node, _)| node.as_str())
            .collect();
        let (at, until, within) = (f.at, f.until, occasion.within);
        let text = &occasion.text;
        format!(
            "{at}-{until} within {within}: {text} ({})",
            tellers.join(", ")
        )
    });
    assert_snapshot!(all.collect::<Vec<_>>().join("\n"));
}

#[test]
fn repetitions_and_occasions_that_cannot_be() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {sag: {to: 50%}}, at: 1s, for: 2s, every: 1s, times: 3}
  - {inject: {hang: {node: gpu-1}}, at: 1s, for: 1s, times: 3}
  - {inject: {hang: {node: gpu-2}}, at: 1s, for: 1s, every: 9s, times: 9}
  - {inject: {hang: {node: gpu-3}}, at: 1s, for: 1s, every: 2s}
  - {inject: {link_down: {node: gpu-1}}, during: outage, every: 2s}
  - {inject: {link_down: {node: gpu-2}}, at: 1s, for: 1s, when: {token: 500}, within: 3s}
  - {inject: {link_down: {node: gpu-3}}, at: 1s, for: 1s, when: {token: 5}}
  - {inject: {power_loss: {node: gpu-1}}, during: outage, when: {battery_below: {ups: ups-x, charge: 120%}}}
  - {inject: {power_loss: {node: gpu-2}}, at: 1s, for: 1s, within: 3s}
  - {inject: {power_loss: {node: gpu-3}}, at: 30s, for: 1s, when: {token: 5}, within: 60s}
  - {inject: {latency: {link: [gw, gpu-1], delay: 5ms}}, or: [{hang: {node: gpu-7}}], at: 1s, for: 1s}"
    )));
}

#[test]
fn faults_of_machines_that_mean_nothing() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {cpu_theft: {target: {node: gpu-1}, stolen: 100%}}, at: 1s, for: 1s}
  - {inject: {cpu_theft: {target: {node: gpu-2}, stolen: 50%, period: 1ms}}, at: 1s, for: 1s}
  - {inject: {crash_loop: {target: {node: gpu-1}, every: 1s, restart: 1s}}, at: 1s, for: 9s}
  - {inject: {slow_boot: {target: {rack: r9}, by: 0s}}, at: 1s, for: 9s}
  - {inject: {memory_pressure: {target: {node: gpu-3}, leave: 0B}}, at: 1s, for: 9s}
  - {inject: {fd_exhaustion: {target: {service: gatway}}}, at: 1s, for: 9s}"
    )));
}

#[test]
fn faults_beyond_the_blast_radius() {
    let with_radius = |radius: &str, faults: &str| {
        with_faults(faults).replace("faults:", &format!("blast_radius: {radius}\nfaults:"))
    };
    let hangs = "  - {inject: {hang: {node: gpu-1}}, at: 1s, for: 5s}
  - {inject: {power_loss: {node: gpu-2}}, at: 3s, for: 5s}";
    assert_snapshot!(shown(&with_radius("{nodes: 1}", hangs)));
    // One after the other they are one at a time.
    let apart = hangs.replace("at: 3s", "at: 6s");
    assert_eq!(planned(&with_radius("{nodes: 1}", &apart)).faults.len(), 2);
    assert_eq!(planned(&with_radius("{nodes: 2}", hangs)).faults.len(), 2);
    let feed = "  - {inject: {power_loss: {feed: a}}, at: 1s, for: 5s}";
    assert!(shown(&with_radius("{feeds: 0}", feed)).contains("`blast_radius` allows 0"));
}

#[test]
fn faults_that_hide_each_other() {
    assert_snapshot!(shown(&with_faults(
        "  - {inject: {hang: {node: gpu-1}}, at: 1s, for: 5s}
  - {inject: {cpu_theft: {target: {service: replica}, stolen: 50%}}, at: 2s, for: 5s}
  - {inject: {loss: {link: [gw, gpu-2], probability: 5%}}, at: 1s, for: 5s}
  - {inject: {corrupt: {link: [gpu-2, gw], probability: 5%}}, at: 2s, for: 5s}
  - {inject: {partition: {link: [gw, gpu-3]}}, at: 9s, for: 5s}
  - {inject: {latency: {link: [gw, gpu-3], delay: 5ms}}, at: 9s, for: 5s}
  - {inject: {link_down: {node: gpu-1}}, or: [{hang: {node: gpu-2}}], at: 20s, for: 5s}
  - {inject: {hang: {node: gpu-2}}, at: 22s, for: 5s}"
    )));
}

#[test]
fn repetitions_that_are_too_many_or_too_near() {
    let text = shown(&with_faults(
        "  - {inject: {latency: {link: [gw, gpu-1], delay: 5ms}}, at: 1s, for: 1s, every: 1500ms, times: 3}",
    ));
    assert!(text.contains("at least 1s more than it lasts"), "{text}");
    let text = with_faults("  - {inject: {sag: {to: 50%}}, during: outage, for: 1s, every: 3s}");
    let text = shown(&text.replace("outage: 20s", "outage: 20h"));
    assert!(text.contains("more than 10000 times"), "{text}");
}
