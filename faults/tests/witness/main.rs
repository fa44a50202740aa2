//! The whole catalogue against a ground that obeys, and against one that only
//! says so: a witness tells the two apart, for every kind of fault.

mod ground;
mod kinds;
mod machines;
mod network;
mod power;
mod storage;
mod telemetry;
mod wire;

use std::sync::Arc;

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_faults::{Aim, Fault, Ground, Injected, fault};
use ridethrough_targets::clock::Micros;

use ground::Numbers;

/// Longer than any fault here needs to show.
const LASTS_US: Micros = 60_000_000;

/// A fault of the catalogue, injected into a ground of its own.
struct Case {
    name: String,
    numbers: Arc<Numbers>,
    ground: Ground,
    fault: Box<dyn Fault>,
    injected: Injected,
}

/// Injects a fault; `obeys` tells whether anything comes of it.
async fn injected(kind: &FaultKind, obeys: bool) -> Case {
    let (_, aim): (_, Aim) = kinds::aim(kind);
    let name = format!("{kind:?}");
    let fault = fault(kind, &aim);
    let numbers = Numbers::new();
    let ground = numbers.ground();
    let before = fault.prepare(&ground).await.expect("prepared");
    if !obeys {
        numbers.disarm();
    }
    for (after, action) in kinds::occasion(kind) {
        numbers.will(after, action);
    }
    let mut injected = fault.inject(&ground).await.expect("injected");
    injected.before.extend(before);
    injected.until_us = injected.at_us + LASTS_US;
    Case {
        name,
        numbers,
        ground,
        fault,
        injected,
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_seen_and_so_is_its_healing() {
    for kind in kinds::all() {
        let it = injected(&kind, true).await;
        let (name, fault) = (&it.name, &it.fault);
        let found = fault.witness(&it.ground, &it.injected).await;
        assert!(found.effective, "{name}: {}", found.problem);
        assert!(found.observed_us.is_some(), "{name}: no time");
        assert!(
            !found.witness.is_empty() && !found.measured.is_empty(),
            "{name}"
        );
        assert!(!fault.requested().is_empty(), "{name}: nothing was asked");
        let healed = fault.heal(&it.ground, &it.injected).await;
        healed.expect("healed");
        let healed = fault.witness_healed(&it.ground, &it.injected).await;
        assert!(healed.effective, "{name} healed: {}", healed.problem);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_only_accepted_is_not_believed() {
    for kind in kinds::all() {
        let it = injected(&kind, false).await;
        let found = it.fault.witness(&it.ground, &it.injected).await;
        let name = it.name;
        assert!(!found.effective, "{name}: {found:?}");
        assert!(!found.problem.is_empty(), "{name}: no reason");
    }
}

#[tokio::test(start_paused = true)]
async fn a_heal_that_was_only_accepted_is_not_believed() {
    for kind in kinds::all() {
        let it = injected(&kind, true).await;
        let found = it.fault.witness(&it.ground, &it.injected).await;
        let name = &it.name;
        assert!(found.effective, "{name}: {}", found.problem);
        it.numbers.disarm();
        let healed = it.fault.heal(&it.ground, &it.injected).await;
        healed.expect("accepted");
        let healed = it.fault.witness_healed(&it.ground, &it.injected).await;
        assert!(!healed.effective, "{name}: {healed:?}");
    }
}

/// What shows only on an occasion is not seen without one, and the witness says
/// so.
#[tokio::test(start_paused = true)]
async fn without_its_occasion_a_fault_is_not_shown() {
    for kind in kinds::waiting() {
        let mut it = injected(&kind, true).await;
        it.injected.until_us = it.injected.at_us + 500_000;
        let found = it.fault.witness(&it.ground, &it.injected).await;
        let name = it.name;
        assert!(
            found.problem.contains("the occasion never came"),
            "{name}: {found:?}"
        );
    }
}

/// A rule for a port that nobody uses is there, and hits nobody.
#[tokio::test(start_paused = true)]
async fn a_filter_that_matches_no_traffic_is_told() {
    for (kind, matches) in network::on_ports() {
        let it = injected(&kind, true).await;
        let found = it.fault.witness(&it.ground, &it.injected).await;
        let name = it.name;
        assert_eq!(found.effective, matches, "{name}: {}", found.problem);
        let told = found.problem.contains("the filter matched no traffic");
        assert_eq!(told, !matches, "{name}: {}", found.problem);
    }
}
