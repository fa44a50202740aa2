//! Whether two faults hit the same thing.

use ridethrough_faults::catalogue::{FaultKind, NodeTarget};
use ridethrough_targets::telemetry::Distortion;
use ridethrough_targets::world::Direction;

use super::wiring::{Wiring, machine_target};

impl Wiring<'_> {
    /// Whether two faults of one kind, neither of the supply, hit the same
    /// thing.
    pub(crate) fn same_target(&self, a: &FaultKind, b: &FaultKind) -> bool {
        let nodes = |a: &NodeTarget, b: &NodeTarget| {
            let b = self.nodes_of(b);
            self.nodes_of(a).iter().any(|node| b.contains(node))
        };
        match (a, b) {
            (FaultKind::BatteryOpen(a), FaultKind::BatteryOpen(b)) => a.ups == b.ups,
            (FaultKind::BatteryAged(a), FaultKind::BatteryAged(b)) => a.ups == b.ups,
            (FaultKind::BreakerOpens(a), FaultKind::BreakerOpens(b)) => a.pdu == b.pdu,
            (FaultKind::PowerLoss(a), FaultKind::PowerLoss(b)) => a == b,
            (FaultKind::PowerBrake(a), FaultKind::PowerBrake(b)) => nodes(&a.target, &b.target),
            (FaultKind::GeneratorFails(a), FaultKind::GeneratorFails(b)) => {
                a.generator == b.generator
            }
            (FaultKind::AtsFails(a), FaultKind::AtsFails(b)) => a == b,
            (FaultKind::UpsFails(a), FaultKind::UpsFails(b)) => a == b,
            (FaultKind::UpsBypass(a), FaultKind::UpsBypass(b)) => a == b,
            (FaultKind::RetransferFails(a), FaultKind::RetransferFails(b)) => a == b,
            (FaultKind::BreakerPickup(a), FaultKind::BreakerPickup(b)) => a.pdu == b.pdu,
            (FaultKind::OutletOff(a), FaultKind::OutletOff(b)) => a == b,
            (FaultKind::PsuFails(a), FaultKind::PsuFails(b)) => a == b,
            (FaultKind::CoolingTrips(a), FaultKind::CoolingTrips(b)) => a == b,
            (FaultKind::PowerCap(a), FaultKind::PowerCap(b)) => nodes(&a.target, &b.target),
            (FaultKind::Hang(a), FaultKind::Hang(b)) => nodes(a, b),
            (FaultKind::LinkDown(a), FaultKind::LinkDown(b)) => nodes(a, b),
            (a, b) if machine_target(a).is_some() => {
                let same = std::mem::discriminant(a) == std::mem::discriminant(b);
                let targets = machine_target(a).zip(machine_target(b));
                same && targets.is_some_and(|(a, b)| nodes(a, b))
            }
            (FaultKind::Dns(a), FaultKind::Dns(b)) => {
                nodes(&a.target, &b.target) && a.names.iter().any(|name| b.names.contains(name))
            }
            (a, b) if a.on_link().is_some() => same_link(a, b),
            (a, b) => self.same_volume(a, b) || self.same_telemetry(a, b),
        }
    }

    /// Two faults of one kind of the same volume.
    fn same_volume(&self, a: &FaultKind, b: &FaultKind) -> bool {
        let (first, second) = (self.disks(a).volumes, self.disks(b).volumes);
        std::mem::discriminant(a) == std::mem::discriminant(b)
            && first.iter().any(|volume| second.contains(volume))
    }

    /// Two distortions of one kind of the same device by the same protocol; lies
    /// about two variables go together.
    fn same_telemetry(&self, a: &FaultKind, b: &FaultKind) -> bool {
        let variable = |kind: &FaultKind| match kind.distortion() {
            Some((Distortion::Lie { variable, .. } | Distortion::Scale { variable, .. }, ..)) => {
                Some(variable)
            }
            _ => None,
        };
        if std::mem::discriminant(a) != std::mem::discriminant(b) || variable(a) != variable(b) {
            return false;
        }
        let first = self.questions(a);
        self.questions(b).iter().any(|q| first.contains(q))
    }
}

/// Whether two faults of one kind share a direction of a link, and a port on it.
fn same_link(a: &FaultKind, b: &FaultKind) -> bool {
    let (Some(first), Some(second)) = (a.on_link(), b.on_link()) else {
        return false;
    };
    let reversed = first.link.0 == second.link.1 && first.link.1 == second.link.0;
    let both = [first, second]
        .iter()
        .any(|on| on.direction == Direction::Both);
    let apart = matches!((first.port, second.port), (Some(a), Some(b)) if a != b);
    std::mem::discriminant(a) == std::mem::discriminant(b)
        && (first.link == second.link || reversed && both)
        && !apart
}
