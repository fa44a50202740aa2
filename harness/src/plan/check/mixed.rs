//! Faults of different kinds that hide each other: at one time on one target,
//! the witness of one of them could not tell what is whose.

use ridethrough_faults::catalogue::FaultKind;

use ridethrough_targets::world::Direction;

use super::super::wiring::machine_target;
use super::checker::Checker;

/// Why two faults cannot both be shown while they last.
pub(super) fn contradict(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> Option<&'static str> {
    machines(c, a, b)
        .or_else(|| machines(c, b, a))
        .or_else(|| links(c, a, b))
        .or_else(|| volumes(c, a, b).or_else(|| volumes(c, b, a)))
}

/// Of one machine.
fn machines(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> Option<&'static str> {
    let FaultKind::Hang(hung) = a else {
        return None;
    };
    let why = match b {
        FaultKind::CpuTheft(_) => "of a machine that hangs no time can be taken",
        FaultKind::CrashLoop(_) => "services that are started again do not hang",
        _ => return None,
    };
    let other = c.wiring.nodes_of(machine_target(b)?);
    let hung = c.wiring.nodes_of(hung);
    hung.iter().any(|node| other.contains(node)).then_some(why)
}

/// Of one link.
fn links(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> Option<&'static str> {
    let (one, other) = (a.on_link()?, b.on_link()?);
    if std::mem::discriminant(a) == std::mem::discriminant(b) {
        return None;
    }
    let cuts = |kind: &FaultKind| matches!(kind, FaultKind::Partition(_));
    // Their probes count what does not come through.
    let takes = |kind: &FaultKind| {
        matches!(
            kind,
            FaultKind::Loss(_)
                | FaultKind::BurstLoss(_)
                | FaultKind::Corrupt(_)
                | FaultKind::Flap(_)
                | FaultKind::Partition(_)
        )
    };
    let why = match (cuts(a) || cuts(b), takes(a) && takes(b)) {
        (true, _) => "through a cut nothing else can be seen",
        (_, true) => "each would count what the other takes away",
        _ => return None,
    };
    let ((a1, b1), (a2, b2)) = (c.wiring.sides(one), c.wiring.sides(other));
    let meet = |x: &[String], y: &[String]| x.iter().any(|node| y.contains(node));
    let either = one.direction == Direction::Both || other.direction == Direction::Both;
    let along = meet(&a1, &a2) && meet(&b1, &b2);
    let against = either && meet(&a1, &b2) && meet(&b1, &a2);
    let apart = matches!((one.port, other.port), (Some(x), Some(y)) if x != y);
    ((along || against) && !apart).then_some(why)
}

/// Of one volume.
fn volumes(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> Option<&'static str> {
    let why = match (a, b) {
        (FaultKind::TornWrites(_), FaultKind::ForgetsFsync(_)) => {
            "of what never reaches the medium nothing is torn"
        }
        (FaultKind::IoError(_), FaultKind::DiskFull(_) | FaultKind::DiskSlow(_)) => {
            "what fails is neither full nor slow"
        }
        _ => return None,
    };
    let first = c.wiring.volumes_of(a.volumes()?);
    let second = c.wiring.volumes_of(b.volumes()?);
    first
        .iter()
        .any(|volume| second.contains(volume))
        .then_some(why)
}
