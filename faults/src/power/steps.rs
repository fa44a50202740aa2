//! How fast machines step, held against how fast they did before the fault.

use std::time::Duration;

use indexmap::IndexMap;

use ridethrough_targets::clock::Micros;

use crate::lifecycle::{Finding, Ground, Injected};

/// How far the measured slow-down may be from the one asked, as a share of it;
/// never so far that no slow-down at all would do.
const TOLERANCE: f64 = 0.35;
/// How long a machine may take to show a step at its new rate.
const SETTLE: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_millis(50);

/// Milliseconds of each machine's last step, where it made one.
pub(super) fn before(ground: &Ground, nodes: &[String]) -> IndexMap<String, f64> {
    let step = |node: &String| {
        let rate = ground.power.step_rate(node)?;
        (rate.step_ms > 0.0).then(|| (node.clone(), rate.step_ms))
    };
    nodes.iter().filter_map(step).collect()
}

/// Waits until each machine reports a step newer than `since` that is `stretch`
/// times as long as before the fault.
pub(super) async fn stretched(
    ground: &Ground,
    injected: &Injected,
    nodes: &[String],
    since: Micros,
    stretch: impl Fn(&str) -> f64,
) -> Finding {
    let asked = |node: &str| {
        let stretch = stretch(node);
        (stretch, TOLERANCE.min((1.0 - 1.0 / stretch) / 2.0))
    };
    look(ground, injected, nodes, since, asked).await
}

/// Waits until each machine reports a step newer than `since` that is as long as
/// before the fault, which had made it `stretch` times as long.
pub(super) async fn back(
    ground: &Ground,
    injected: &Injected,
    nodes: &[String],
    since: Micros,
    stretch: f64,
) -> Finding {
    let tolerance = TOLERANCE.min((stretch - 1.0) / 2.0);
    look(ground, injected, nodes, since, |_| (1.0, tolerance)).await
}

async fn look(
    ground: &Ground,
    injected: &Injected,
    nodes: &[String],
    since: Micros,
    asked: impl Fn(&str) -> (f64, f64),
) -> Finding {
    let deadline = tokio::time::Instant::now() + SETTLE;
    let mut finding = Finding::by("measured step rate");
    let mut problems = Vec::new();
    for node in nodes {
        let Some(before) = injected.before.get(node).copied() else {
            problems.push(format!(
                "{node} did no work before the fault to compare with"
            ));
            continue;
        };
        let (stretch, tolerance) = asked(node);
        let right = |measured: f64| (measured / stretch - 1.0).abs() <= tolerance;
        let mut stretched = None;
        while tokio::time::Instant::now() < deadline {
            if let Some(rate) = ground.power.step_rate(node)
                && rate.t_us >= since
                && rate.step_ms > 0.0
            {
                let measured = rate.step_ms / before;
                stretched = Some((rate.t_us, measured));
                if right(measured) {
                    break;
                }
            }
            tokio::time::sleep(BETWEEN).await;
        }
        match stretched {
            Some((t_us, measured)) => {
                finding.observed_us = Some(finding.observed_us.map_or(t_us, |t| t.max(t_us)));
                finding = finding.with(&format!("{node}.step_stretch"), measured);
                if !right(measured) {
                    problems.push(format!(
                        "{node} steps {measured:.2} times as long as before, not {stretch:.2}"
                    ));
                }
            }
            None => problems.push(format!("{node} made no step to measure")),
        }
    }
    finding.conclude(problems)
}
