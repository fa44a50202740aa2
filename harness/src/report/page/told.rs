//! Events in words, for the list of what happened.

use ridethrough_targets::plant::Change;

use super::follow::word;
use crate::judge::show_time;
use crate::record::{Body, Event, HumanAct};

/// Who, and what; nothing for what comes with every request or reading.
pub(super) fn told(event: &Event) -> Option<(String, String)> {
    let source = || event.source.clone();
    let told = match &event.body {
        Body::Phase(window) => ("phase".into(), window.name.clone()),
        Body::Plant {
            component,
            cause,
            change,
        } => (component.clone(), format!("{} ({cause})", moved(change)?)),
        Body::NodeDown { node, .. } => (node.clone(), "its processes are dead".into()),
        Body::NodeBoot { node, boot } if *boot > 0 => (node.clone(), "boots again".into()),
        Body::Uplink { switch, up, .. } => {
            let what = if *up { "forwards again" } else { "went dark" };
            (switch.clone(), what.into())
        }
        Body::ServiceReady { node, service } => (node.clone(), format!("{service} is ready")),
        Body::ServiceExited {
            node, service, how, ..
        } => (node.clone(), format!("{service} ended: {how}")),
        Body::State {
            of,
            from,
            to,
            cause,
        } => (of.clone(), format!("{from} → {to} ({cause})")),
        Body::Observed {
            via,
            device,
            variable,
            value,
        } => (device.clone(), format!("{via} shows {variable} = {value}")),
        Body::Order {
            device,
            command,
            refused,
        } => {
            let order = serde_json::to_string(command).unwrap_or_default();
            let refused = refused.as_ref().map(|why| format!(", refused: {why}"));
            let refused = refused.unwrap_or_default();
            (device.clone(), format!("was told {order}{refused}"))
        }
        Body::FaultInjected(receipt) => (
            "fault".into(),
            format!("{} hits {}", receipt.fault_kind, receipt.target),
        ),
        Body::FaultHealed { fault } => ("fault".into(), format!("number {fault} is healed")),
        Body::Witness(report) => {
            let saw = match (report.effective, &*report.stage) {
                (true, "healed") => "saw that it is gone".into(),
                (true, _) => "saw that it is there".into(),
                (false, _) => format!("could not show it: {}", report.problem),
            };
            (report.witness.clone(), saw)
        }
        Body::Held(held) => (
            "game day".into(),
            format!("{} waits: {}", held.name, held.question),
        ),
        Body::Resumed { held_us } => (
            "game day".into(),
            format!("the timeline goes on after {}", show_time(*held_us)),
        ),
        Body::Human(human) => {
            let who = match human.name.is_empty() {
                true => human.role.clone(),
                false => format!("{} ({})", human.name, human.role),
            };
            (who, did(&human.act))
        }
        Body::Note { text } => (source(), text.clone()),
        Body::Invalid { reason } => (source(), reason.clone()),
        Body::End { how } => (source(), format!("the run ended: {how}")),
        _ => return None,
    };
    Some(told)
}

fn did(act: &HumanAct) -> String {
    let of = |fault: &Option<usize>| fault.map_or(String::new(), |n| format!(" fault {n}"));
    match act {
        HumanAct::Note { text } => text.clone(),
        HumanAct::Noticed { fault } => format!("noticed{}", of(fault)),
        HumanAct::Decided { fault } => format!("decided what to do{}", of(fault)),
        HumanAct::Acted { fault } => format!("acted{}", of(fault)),
        HumanAct::Released { fault } => format!("released fault {fault}"),
        HumanAct::Skipped { fault } => format!("left out fault {fault}"),
        HumanAct::Armed { fault } => format!("armed fault {fault}"),
        HumanAct::Confirmed { fault } => format!("injected fault {fault} by hand"),
        HumanAct::Stopped => "stopped the run".into(),
    }
}

fn moved(change: &Change) -> Option<String> {
    let on = |on: bool| if on { "on" } else { "off" };
    let text = match change {
        Change::Supply {
            voltage_pu,
            frequency_hz,
        } => format!("supply {voltage_pu:.2} pu, {frequency_hz:.2} Hz"),
        Change::Bus { source, .. } if source.is_empty() => "dead".into(),
        Change::Bus { voltage_pu, source } => format!("{voltage_pu:.2} pu from {source}"),
        Change::Ups { from, to } => format!("{} → {}", word(from), word(to)),
        Change::Battery { to, charge, .. } => {
            format!("battery {} at {:.1}%", word(to), charge * 100.0)
        }
        Change::LowBattery { low: true, .. } => "battery low".into(),
        Change::LowBattery { low: false, .. } => "battery no longer low".into(),
        Change::Breaker { closed: true } | Change::GridBreaker { closed: true } => {
            "breaker closed".into()
        }
        Change::Breaker { .. } | Change::GridBreaker { .. } => "breaker open".into(),
        Change::HoldUp { active: true, left } => {
            format!("lives on its hold-up, {} left", show_time(left.micros()))
        }
        Change::HoldUp { .. } => "is fed again".into(),
        Change::NodePower { on: is } => format!("power {}", on(*is)),
        Change::Brake { clocks } => format!("clocks at {:.0}%", clocks * 100.0),
        Change::Generator { from, to } => format!("{} → {}", word(from), word(to)),
        Change::Transfer { from, to } => format!("{} → {}", word(from), word(to)),
        Change::Bbu { from, to, .. } => format!("BBU {} → {}", word(from), word(to)),
        Change::Bess { from, to, .. } => format!("{} → {}", word(from), word(to)),
        Change::Cooling { from, to } => format!("{} → {}", word(from), word(to)),
        Change::Temperature { to, celsius, .. } => format!("air {} at {celsius:.1} °C", word(to)),
        Change::Outlet { outlet, on: is } => format!("outlet {outlet} {}", on(*is)),
        Change::Lockout { on: is } => format!("lockout {}", on(*is)),
        Change::Inhibit { on: is } => format!("inhibit {}", on(*is)),
        Change::Supplies { supply, healthy } => {
            let how = if *healthy { "healthy" } else { "broken" };
            format!("power supply {supply} {how}")
        }
        Change::Limit { .. } | Change::Heartbeat { .. } => return None,
    };
    Some(text)
}
