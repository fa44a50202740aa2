//! The power faults of a playbook, played on a site without a stack.

use std::time::Duration;

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::emulator::Emulator;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::units::PerUnit;

use super::devices;
use crate::plan::{Plan, PlannedFault};

/// What a fault does to the plant, and how that is undone.
pub(super) struct Acts {
    pub(super) inject: Vec<PlantAction>,
    pub(super) heal: Vec<PlantAction>,
}

impl Acts {
    pub(super) fn one(inject: PlantAction, heal: PlantAction) -> Self {
        Self {
            inject: vec![inject],
            heal: vec![heal],
        }
    }

    /// The same for each of these.
    pub(super) fn of_each<T: Clone>(
        all: &[T],
        inject: impl Fn(T) -> PlantAction,
        heal: impl Fn(T) -> PlantAction,
    ) -> Self {
        Self {
            inject: all.iter().cloned().map(inject).collect(),
            heal: all.iter().cloned().map(heal).collect(),
        }
    }
}

/// What is played, and what is not.
pub(super) struct Timeline {
    /// (when, fault's name, what), in order of time.
    steps: Vec<(Duration, String, Vec<PlantAction>)>,
    total: Duration,
    /// Names of faults that need a stack.
    pub(super) passed_over: Vec<String>,
}

impl Timeline {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut steps = Vec::new();
        let mut passed_over = Vec::new();
        for fault in plan.faults.iter().filter(|fault| !fault.manual) {
            match acts(plan, fault) {
                Some(acts) => {
                    let (at, until) = (fault.at.duration(), fault.until.duration());
                    steps.push((at, format!("fault {}", fault.name), acts.inject));
                    steps.push((until, format!("end of {}", fault.name), acts.heal));
                }
                None => passed_over.push(fault.name.clone()),
            }
        }
        steps.sort_by_key(|(at, _, _)| *at);
        Self {
            steps,
            total: plan.total.duration(),
            passed_over,
        }
    }

    /// Plays it to the end of the last phase; `say` is told of every step.
    pub(super) async fn play(self, emulator: &Emulator, mut say: impl FnMut(&str)) {
        let start = tokio::time::Instant::now();
        for (at, name, actions) in self.steps {
            tokio::time::sleep_until(start + at).await;
            say(&name);
            for action in actions {
                emulator.act(action).await;
            }
        }
        tokio::time::sleep_until(start + self.total).await;
    }
}

fn acts(plan: &Plan, fault: &PlannedFault) -> Option<Acts> {
    let one = |inject, heal| Some(Acts::one(inject, heal));
    match &fault.kind {
        FaultKind::UtilityOutage(_) => Some(supply(fault, PerUnit(0.0))),
        FaultKind::Sag(level) | FaultKind::Brownout(level) | FaultKind::Swell(level) => {
            Some(supply(fault, level.to))
        }
        FaultKind::BatteryOpen(it) => one(
            PlantAction::BatteryOpens {
                ups: it.ups.clone(),
            },
            PlantAction::BatteryCloses {
                ups: it.ups.clone(),
            },
        ),
        FaultKind::BatteryAged(it) => one(
            PlantAction::BatteryHealth {
                ups: it.ups.clone(),
                health: it.health,
            },
            PlantAction::BatteryHealth {
                ups: it.ups.clone(),
                health: PerUnit(1.0),
            },
        ),
        FaultKind::BreakerOpens(it) => one(
            PlantAction::BreakerOpens {
                pdu: it.pdu.clone(),
            },
            PlantAction::BreakerCloses {
                pdu: it.pdu.clone(),
            },
        ),
        FaultKind::PowerLoss(target) => one(
            PlantAction::Cut(target.clone()),
            PlantAction::Uncut(target.clone()),
        ),
        FaultKind::PowerBrake(brake) => {
            let each = |ratio: f64| {
                let brake = |node: &String| PlantAction::Brake {
                    node: node.clone(),
                    ratio,
                };
                fault.reach.nodes.iter().map(brake).collect()
            };
            Some(Acts {
                inject: each(brake.clocks.get()),
                heal: each(1.0),
            })
        }
        _ => devices::acts(plan, fault),
    }
}

fn supply(fault: &PlannedFault, level: PerUnit) -> Acts {
    let hold = |utility| PlantAction::Supply { utility, level };
    let back = |utility| PlantAction::SupplyRestored { utility };
    Acts::of_each(&fault.reach.utilities, hold, back)
}
