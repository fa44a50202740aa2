//! The whole catalogue against a ground that obeys, and against one that only
//! says so: a witness tells the two apart, for every kind of fault.

mod ground;
mod kinds;

use ridethrough_faults::{Aim, Fault, fault};

use ground::Numbers;

fn aimed() -> Vec<(String, Box<dyn Fault>)> {
    let all = kinds::all();
    let aimed = all.iter().map(|kind| {
        let (_, aim): (_, Aim) = kinds::aim(kind);
        (format!("{kind:?}"), fault(kind, &aim))
    });
    aimed.collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_seen_and_so_is_its_healing() {
    for (name, fault) in aimed() {
        let ground = Numbers::new().ground();
        let before = fault.prepare(&ground).await.expect("prepared");
        let mut injected = fault.inject(&ground).await.expect("injected");
        injected.before.extend(before);
        let found = fault.witness(&ground, &injected).await;
        assert!(found.effective, "{name}: {}", found.problem);
        assert!(found.observed_us.is_some(), "{name}: no time");
        assert!(
            !found.witness.is_empty() && !found.measured.is_empty(),
            "{name}"
        );
        fault.heal(&ground, &injected).await.expect("healed");
        let healed = fault.witness_healed(&ground, &injected).await;
        assert!(healed.effective, "{name} healed: {}", healed.problem);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_only_accepted_is_not_believed() {
    for (name, fault) in aimed() {
        let numbers = Numbers::new();
        let ground = numbers.ground();
        let before = fault.prepare(&ground).await.expect("prepared");
        numbers.disarm();
        let mut injected = fault.inject(&ground).await.expect("accepted");
        injected.before.extend(before);
        let found = fault.witness(&ground, &injected).await;
        assert!(!found.effective, "{name}: {found:?}");
        assert!(!found.problem.is_empty(), "{name}: no reason");
    }
}

#[tokio::test(start_paused = true)]
async fn a_heal_that_was_only_accepted_is_not_believed() {
    for (name, fault) in aimed() {
        let numbers = Numbers::new();
        let ground = numbers.ground();
        let before = fault.prepare(&ground).await.expect("prepared");
        let mut injected = fault.inject(&ground).await.expect("injected");
        injected.before.extend(before);
        numbers.disarm();
        fault.heal(&ground, &injected).await.expect("accepted");
        let healed = fault.witness_healed(&ground, &injected).await;
        assert!(!healed.effective, "{name}: {healed:?}");
    }
}
