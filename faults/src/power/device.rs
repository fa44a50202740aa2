//! What faults of single devices share: doing things to the plant, reading
//! devices, and waiting for an occasion.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::{MachineReading, PduReading, Reading, SupplyReading};

use crate::lifecycle::{FaultError, Finding, Ground, Injected};

/// How often a witness looks.
const BETWEEN: Duration = Duration::from_millis(20);
/// The last look is so long before the heal.
const BEFORE_HEAL_US: Micros = 2_000;

/// Does these to the plant.
pub(super) async fn act(
    ground: &Ground,
    actions: impl IntoIterator<Item = PlantAction>,
) -> Result<Injected, FaultError> {
    let mut at_us = None;
    for action in actions {
        at_us = Some(ground.power.act(action).await);
    }
    Ok(Injected {
        at_us: at_us.ok_or(FaultError::NoTarget)?,
        ..Injected::default()
    })
}

/// Looks again and again until it is seen, or until the fault is about to be
/// healed.
pub(super) async fn until_end<T>(
    ground: &Ground,
    injected: &Injected,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let clock = ground.world.clock();
    let last_us = injected.until_us.saturating_sub(BEFORE_HEAL_US);
    loop {
        let seen = look();
        let now_us = clock.now_us();
        if seen.is_some() || now_us >= last_us {
            return seen;
        }
        let left = Duration::from_micros(last_us - now_us);
        tokio::time::sleep(left.min(BETWEEN)).await;
    }
}

/// Looks again and again until it is seen, at most for so long.
pub(super) async fn within<T>(bound: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = tokio::time::Instant::now() + bound;
    loop {
        let seen = look();
        if seen.is_some() || tokio::time::Instant::now() >= deadline {
            return seen;
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// What an inspection finds: a problem where a defect is still there.
pub(super) fn inspect(ground: &Ground, device: &str, defect: &str) -> Option<String> {
    match ground.power.defects(device) {
        None => Some(format!("{device} cannot be inspected")),
        Some(found) if found.iter().any(|one| one.contains(defect)) => Some(format!(
            "an inspection of {device} finds: {}",
            found.join(", ")
        )),
        Some(_) => None,
    }
}

/// The voltage at a component's output; dead where there is no meter.
pub(super) fn volts_pu(ground: &Ground, component: &str) -> f64 {
    ground.power.voltage_pu(component).unwrap_or(0.0)
}

/// What a machine's management shows.
pub(super) fn machine(ground: &Ground, node: &str) -> Option<MachineReading> {
    match ground.power.reading(node) {
        Some(Reading::Machine(reading)) => Some(reading),
        _ => None,
    }
}

/// What a PDU shows.
pub(super) fn pdu(ground: &Ground, pdu: &str) -> Option<PduReading> {
    match ground.power.reading(pdu) {
        Some(Reading::Pdu(reading)) => Some(reading),
        _ => None,
    }
}

/// The watts that a PDU's outlets give to a machine.
pub(super) fn outlet_w(reading: &PduReading, node: &str) -> f64 {
    let mine = reading.outlets.iter().filter(|outlet| outlet.node == node);
    mine.map(|outlet| outlet.w).sum()
}

/// The supplies of a machine behind a PDU.
pub(super) fn behind<'a>(
    machine: &'a MachineReading,
    pdu: &'a str,
) -> impl Iterator<Item = &'a SupplyReading> {
    machine.supplies.iter().filter(move |s| s.pdu == pdu)
}

/// A state as it is written.
pub(super) fn word(state: impl Serialize) -> Value {
    serde_json::to_value(state).unwrap_or_default()
}

/// A finding with one problem: there is nothing to read.
pub(super) fn mute(finding: Finding, device: &str) -> Finding {
    finding.conclude(vec![format!("{device} shows nothing of itself")])
}

/// Whole seconds and tenths of a time.
pub(super) fn seconds(us: Micros) -> f64 {
    (us as f64 / 1e5).round() / 10.0
}
