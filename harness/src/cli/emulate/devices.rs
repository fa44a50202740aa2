//! What faults of the grid's quality and of single devices do to a site by
//! itself, and how that is undone.

use ridethrough_faults::catalogue::{FaultKind, OneOutlet};
use ridethrough_targets::plant::{Plant, PlantAction};
use ridethrough_targets::telemetry::Reading;

use super::timeline::Acts;
use crate::plan::{Plan, PlannedFault};

pub(super) fn acts(plan: &Plan, fault: &PlannedFault) -> Option<Acts> {
    match &fault.kind {
        FaultKind::Frequency(it) => {
            let to = |utility| PlantAction::Frequency {
                utility,
                frequency: it.to,
            };
            let back = |utility| PlantAction::FrequencyRestored { utility };
            Some(Acts::of_each(&fault.reach.utilities, to, back))
        }
        FaultKind::Waveform(it) => {
            let follow = |utility| PlantAction::Waveform {
                utility,
                points: it.profile.clone(),
            };
            let back = |utility| PlantAction::SupplyRestored { utility };
            Some(Acts::of_each(&fault.reach.utilities, follow, back))
        }
        FaultKind::PowerCap(it) => {
            let hold = |limit| move |node| PlantAction::PowerCap { node, limit };
            Some(Acts::of_each(
                &fault.reach.nodes,
                hold(Some(it.to)),
                hold(None),
            ))
        }
        FaultKind::OutletOff(it) => {
            let outlets = outlets(plan, it);
            let pdu = || it.pdu.clone();
            let (off, on) = (
                |outlet| PlantAction::OutletOff { pdu: pdu(), outlet },
                |outlet| PlantAction::OutletOn { pdu: pdu(), outlet },
            );
            Some(Acts::of_each(&outlets, off, on))
        }
        kind => one_device(kind),
    }
}

fn one_device(kind: &FaultKind) -> Option<Acts> {
    let of_ups =
        |ups: &String, fails: fn(String) -> PlantAction, mends: fn(String) -> PlantAction| {
            Acts::one(fails(ups.clone()), mends(ups.clone()))
        };
    Some(match kind {
        FaultKind::GeneratorFails(it) => {
            let generator = || it.generator.clone();
            let fails = PlantAction::GeneratorFails {
                generator: generator(),
                how: it.how,
            };
            let mends = PlantAction::GeneratorRestored {
                generator: generator(),
            };
            Acts::one(fails, mends)
        }
        FaultKind::AtsFails(it) => {
            let transfer = || it.transfer.clone();
            let (stuck, freed) = (transfer(), transfer());
            Acts::one(
                PlantAction::TransferStuck { transfer: stuck },
                PlantAction::TransferFreed { transfer: freed },
            )
        }
        FaultKind::UpsFails(it) => of_ups(
            &it.ups,
            |ups| PlantAction::UpsFails { ups },
            |ups| PlantAction::UpsRestored { ups },
        ),
        FaultKind::UpsBypass(it) => of_ups(
            &it.ups,
            |ups| PlantAction::BypassForced { ups },
            |ups| PlantAction::BypassReleased { ups },
        ),
        FaultKind::RetransferFails(it) => of_ups(
            &it.ups,
            |ups| PlantAction::RetransferFails { ups },
            |ups| PlantAction::RetransferRestored { ups },
        ),
        FaultKind::BreakerPickup(it) => {
            let set = |pickup| PlantAction::BreakerPickup {
                pdu: it.pdu.clone(),
                pickup,
            };
            let pdu = it.pdu.clone();
            Acts {
                inject: vec![set(Some(it.to))],
                heal: vec![set(None), PlantAction::BreakerCloses { pdu }],
            }
        }
        FaultKind::PsuFails(it) => {
            let (node, supply) = (|| it.node.clone(), it.supply as usize);
            let (fails, mends) = (node(), node());
            Acts::one(
                PlantAction::PsuFails {
                    node: fails,
                    supply,
                },
                PlantAction::PsuRestored {
                    node: mends,
                    supply,
                },
            )
        }
        FaultKind::CoolingTrips(it) => {
            let (trips, runs) = (it.cooling.clone(), it.cooling.clone());
            Acts::one(
                PlantAction::CoolingTrips { cooling: trips },
                PlantAction::CoolingRestored { cooling: runs },
            )
        }
        _ => return None,
    })
}

/// The outlets of a PDU that have a cord of a machine.
fn outlets(plan: &Plan, asked: &OneOutlet) -> Vec<usize> {
    let plant = Plant::new(&plan.playbook.site, &plan.loads).ok();
    let reading = plant.and_then(|plant| plant.reading(&asked.pdu));
    let Some(Reading::Pdu(pdu)) = reading else {
        return Vec::new();
    };
    let all = pdu.outlets.iter().enumerate();
    let mine = all.filter(|(_, outlet)| outlet.node == asked.node);
    mine.map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::timeline::Timeline;
    use crate::plan::plan_file;
    use crate::playbook::faults;

    /// Kinds of the power family and the power side of the node family.
    const POWER: usize = 21;

    #[test]
    fn what_needs_no_stack_is_played() {
        let folder = Path::new("../playbooks/tests/kinds");
        let passed_over = faults().into_iter().filter(|kind| {
            let path = folder.join(format!("{}.yaml", kind.name));
            let (_, plan) = plan_file(&path).unwrap_or_else(|e| panic!("{}", e.render(false)));
            !Timeline::of(&plan).passed_over.is_empty()
        });
        let passed_over: Vec<String> = passed_over.map(|kind| kind.name).collect();
        let played = faults().len() - passed_over.len();
        assert!(played >= POWER, "passed over: {}", passed_over.join(", "));
    }
}
