//! From a kind to the rule that does it and the sign that shows it.

use ridethrough_targets::world::Impairment;

use super::burst_loss::BurstLoss;
use super::corrupt::Corrupt;
use super::cut::Cut;
use super::duplicate::Duplicate;
use super::flap::Flap;
use super::latency::Latency;
use super::link::{LinkFault, Nothing};
use super::loss::Loss;
use super::mtu::Mtu;
use super::rate::Rate;
use super::reorder::Reorder;
use super::reset::Reset;
use crate::catalogue::{self, FaultKind, OnLink};
use crate::lifecycle::{Aim, Fault};

/// The fault of a kind that acts on a link.
pub(crate) fn on_link(kind: &FaultKind, aim: Aim) -> Box<dyn Fault> {
    let Some(on) = kind.on_link() else {
        return Box::new(Nothing);
    };
    match kind {
        FaultKind::Partition(_) => Box::new(Cut::between(aim, on)),
        FaultKind::Latency(f) => {
            let rule = Impairment::Delay {
                delay: f.delay,
                jitter: f.jitter,
                distribution: f.distribution,
                correlation: f.correlation,
            };
            made(aim, on, rule, Latency::new(f))
        }
        FaultKind::Loss(f) => {
            let probability = f.probability;
            made(aim, on, Impairment::Loss { probability }, Loss::new(f))
        }
        FaultKind::BurstLoss(f) => bursts(aim, on, f),
        FaultKind::Duplicate(f) => {
            let probability = f.probability;
            let rule = Impairment::Duplicate { probability };
            made(aim, on, rule, Duplicate::new(f))
        }
        FaultKind::Reorder(f) => {
            let rule = Impairment::Reorder {
                probability: f.probability,
                by: f.by,
            };
            made(aim, on, rule, Reorder::new(f))
        }
        FaultKind::Corrupt(f) => {
            let probability = f.probability;
            let rule = Impairment::Corrupt { probability };
            made(aim, on, rule, Corrupt::new(f))
        }
        FaultKind::Rate(f) => {
            let rule = Impairment::Rate {
                rate: f.rate,
                queue: f.queue,
            };
            made(aim, on, rule, Rate::new(f))
        }
        FaultKind::Reset(f) => {
            let probability = f.probability;
            let rule = Impairment::Reset { probability };
            made(aim, on, rule, Reset::new(f))
        }
        FaultKind::Flap(f) => {
            let rule = Impairment::Flap {
                period: f.period,
                down: f.down,
            };
            made(aim, on, rule, Flap::new(f))
        }
        FaultKind::Mtu(f) => {
            let rule = Impairment::MtuBlackHole { mtu: f.mtu };
            made(aim, on, rule, Mtu::new(f))
        }
        _ => Box::new(Nothing),
    }
}

fn bursts(aim: Aim, on: OnLink<'_>, f: &catalogue::BurstLoss) -> Box<dyn Fault> {
    let rule = match (f.gilbert_elliott, f.four_state) {
        (Some(asked), None) => Impairment::GilbertElliott(asked),
        (None, Some(asked)) => Impairment::FourState(asked),
        // Neither or both: the plan's check does not let them through.
        _ => return Box::new(Nothing),
    };
    match BurstLoss::new(f) {
        Some(sign) => made(aim, on, rule, sign),
        None => Box::new(Nothing),
    }
}

fn made(
    aim: Aim,
    on: OnLink<'_>,
    impairment: Impairment,
    sign: impl super::link::Sign + 'static,
) -> Box<dyn Fault> {
    Box::new(LinkFault::new(aim, on, impairment, sign))
}
