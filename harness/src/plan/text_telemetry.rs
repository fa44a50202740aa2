//! Telemetry faults as readable words.

use ridethrough_faults::catalogue::FaultKind;

/// `ups-a, ups-b by snmp`.
pub(super) fn fault_target(kind: &FaultKind) -> String {
    let Some((_, devices, via)) = kind.distortion() else {
        return String::new();
    };
    let whose = match devices {
        [] => "every device".to_string(),
        named => named.join(", "),
    };
    let via: Vec<&str> = via.iter().map(|via| via.name()).collect();
    match via.as_slice() {
        [] => whose,
        via => format!("{whose} by {}", via.join(", ")),
    }
}
