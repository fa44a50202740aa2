//! Promises about the power of a site as readable words.

use ridethrough_targets::plant::{GeneratorFault, RideThrough};
use ridethrough_targets::units::{PerUnit, Span};

use super::text::{during, faults};
use crate::playbook::{
    EnergyAssert, GeneratorAssert, NoCommonModeAssert, NoFalseShutdownAssert, RechargeAssert,
    RetransferAssert, RideThroughAssert, ShutdownOrderAssert, Teller, TemperatureAssert,
    TruthLagAssert,
};

pub(super) fn no_common_mode(a: &NoCommonModeAssert) -> String {
    let racks = match &a.racks[..] {
        [] => "a rack with two cords".into(),
        racks => racks.join(", "),
    };
    let except = match &a.except[..] {
        [] => String::new(),
        names => format!(" but {}", names.join(", ")),
    };
    format!("no single component{except} drops every cord of {racks}")
}

/// A ride-through curve as people call it.
pub(crate) fn curve(curve: RideThrough) -> &'static str {
    match curve {
        RideThrough::Itic => "ITIC",
        RideThrough::SemiF47 => "SEMI F47",
        RideThrough::Iec61000Class2 => "IEC 61000-4-11 class 2",
        RideThrough::Iec61000Class3 => "IEC 61000-4-11 class 3",
    }
}

pub(super) fn ride_through(a: &RideThroughAssert) -> String {
    let at = match &a.at[..] {
        [] => "every load bus".into(),
        names => names.join(", "),
    };
    let during = during(a.during.as_deref());
    format!(
        "the voltage at {at} stays inside {}{during}",
        curve(a.curve)
    )
}

pub(super) fn energy(a: &EnergyAssert) -> String {
    let most = a
        .discharged_at_most
        .map(|most| format!(", of at most {most}"));
    format!(
        "what batteries give{} is accounted for within {}",
        most.unwrap_or_default(),
        a.within
    )
}

pub(super) fn generator(a: &GeneratorAssert) -> String {
    let name = a.generator.as_deref().unwrap_or("every generator");
    let margin = a.margin.map(|m| format!(", {m} before any UPS runs out"));
    format!(
        "{name} has the load within {} of the loss of the mains{}{}",
        a.accepted_within,
        margin.unwrap_or_default(),
        during(a.during.as_deref())
    )
}

pub(super) fn temperature(a: &TemperatureAssert) -> String {
    let of = a.cooling.as_ref().map(|unit| format!(" of {unit}"));
    let of = of.unwrap_or_default();
    let during = during(a.during.as_deref());
    format!("the air{of} stays below {}{during}", a.below)
}

pub(super) fn retransfer(a: &RetransferAssert) -> String {
    let ups = a.ups.as_deref().unwrap_or("every UPS");
    let faults = faults(a.during.as_deref());
    format!(
        "{ups} is back on mains within {} of the last heal{faults}",
        a.within
    )
}

pub(super) fn recharge(a: &RechargeAssert) -> String {
    let ups = a.ups.as_deref().unwrap_or("every battery");
    let faults = faults(a.during.as_deref());
    format!(
        "{ups} is charged to {} within {} of the last heal{faults}",
        a.to, a.within
    )
}

pub(super) fn no_false_shutdown(a: &NoFalseShutdownAssert) -> String {
    let during = during(a.during.as_deref());
    format!("no shutdown is ordered while every UPS can carry its load{during}")
}

pub(super) fn shutdown_order(a: &ShutdownOrderAssert) -> String {
    let during = during(a.during.as_deref());
    let order = a.machines.join(", then ");
    format!("{order} are told to go off before the power takes them{during}")
}

pub(super) fn truth_lag(a: &TruthLagAssert) -> String {
    let by = match a.via {
        Teller::Nut => "NUT",
        Teller::Supervisor => "the supervisor",
        Teller::Snmp => "SNMP",
        Teller::Modbus => "Modbus",
    };
    let any = match a.via {
        Teller::Modbus => "a BESS",
        _ => "a UPS",
    };
    let ups = a.ups.as_deref().unwrap_or(any);
    let during = during(a.during.as_deref());
    format!(
        "{by} says that {ups} is on battery within {} of the truth{during}",
        a.within
    )
}

/// A recording as one can say it: how many points, how far, how long.
pub(super) fn recording(profile: &[(Span, PerUnit)]) -> String {
    let levels = || profile.iter().map(|(_, pu)| pu.get());
    let (low, high) = levels().fold((f64::MAX, 0.0_f64), |(low, high), pu| {
        (low.min(pu), high.max(pu))
    });
    let lasts = profile.last().map(|(at, _)| *at).unwrap_or_default();
    format!(
        "{} points over {lasts}, {} to {}",
        profile.len(),
        PerUnit(low),
        PerUnit(high)
    )
}

/// How a generator fails.
pub(super) fn generator_fault(how: GeneratorFault) -> String {
    match how {
        GeneratorFault::Start => "does not start".into(),
        GeneratorFault::Trip => "stops".into(),
        GeneratorFault::Unstable => "unstable".into(),
        GeneratorFault::Overheat { after } => format!("overheats after {after} under load"),
    }
}
