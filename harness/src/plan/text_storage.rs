//! Storage faults and promises as readable words.

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::disk::DiskOp;

use crate::playbook::DurabilityAssert;

use super::text::{during, nodes};

/// Whose volumes a fault hits; nothing where it is no fault of volumes.
pub(super) fn fault_target(kind: &FaultKind) -> Option<String> {
    let target = kind.volumes()?;
    Some(format!("volumes of {}", nodes(target)))
}

pub(super) fn fault_size(kind: &FaultKind) -> Option<String> {
    match kind {
        FaultKind::DiskSlow(f) => Some(format!("+{}", f.by)),
        FaultKind::IoError(f) => {
            let on = match f.on {
                DiskOp::All => "operations",
                DiskOp::Read => "reads",
                DiskOp::Write => "writes",
                DiskOp::Fsync => "flushes",
            };
            Some(format!("{} of {on}", f.probability))
        }
        _ => None,
    }
}

pub(super) fn durability(a: &DurabilityAssert) -> String {
    let during = during(a.during.as_deref());
    let service = &a.service;
    match a.lost {
        0 => format!("every write that {service} acknowledged{during} is there at the end"),
        n => format!("at most {n} of the writes that {service} acknowledged{during} are gone"),
    }
}
