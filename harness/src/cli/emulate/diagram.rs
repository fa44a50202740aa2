//! The one-line diagram of a site as text, with what its meters show.

use std::fmt::Write;
use std::sync::Arc;

use indexmap::IndexMap;

use ridethrough_targets::telemetry::{
    Answer, BessMode, BessStatus, Board, CoolingStatus, GeneratorStatus, Identity, Protocol,
    Reading, ReadingStatus, TransferReading, UpsReading,
};

/// Machines below one PDU that are shown one by one; more are counted.
const SHOWN_MACHINES: usize = 4;

/// The diagram: what feeds what, from the sources down.
pub(super) fn diagram(board: &Board) -> String {
    let devices = board.devices();
    let mut below: IndexMap<&str, Vec<&Arc<Identity>>> = IndexMap::new();
    let known = |name: &String| devices.iter().any(|d| d.name == *name);
    let mut roots = Vec::new();
    for device in &devices {
        match device.from.iter().find(|name| known(name)) {
            Some(feeder) => below.entry(feeder).or_default().push(device),
            None => roots.push(device),
        }
    }
    let mut drawing = Drawing {
        board,
        below,
        text: String::new(),
    };
    for root in roots {
        drawing.draw(root, "", "");
    }
    drawing.text
}

struct Drawing<'a> {
    board: &'a Board,
    below: IndexMap<&'a str, Vec<&'a Arc<Identity>>>,
    text: String,
}

impl Drawing<'_> {
    fn draw(&mut self, device: &Identity, lead: &str, indent: &str) {
        let also = match device.from.get(1..) {
            Some(more) if !more.is_empty() => format!("  (also {})", more.join(", ")),
            _ => String::new(),
        };
        let words = self.words(&device.name);
        let line = format!("{lead}{}", device.name);
        self.text
            .push_str(format!("{line:<24} {words}{also}").trim_end());
        self.text.push('\n');
        let below = self.below.get(device.name.as_str());
        let mut children: Vec<Arc<Identity>> = below
            .map(|all| all.iter().map(|child| Arc::clone(child)).collect())
            .unwrap_or_default();
        let machines = children.iter().filter(|c| c.kind == "machine").count();
        let counted = (machines > SHOWN_MACHINES).then(|| self.count(&children));
        if counted.is_some() {
            children.retain(|child| child.kind != "machine");
        }
        let last = children.len();
        for (index, child) in children.iter().enumerate() {
            let end = index + 1 == last && counted.is_none();
            let (branch, next) = if end {
                ("└ ", "  ")
            } else {
                ("├ ", "│ ")
            };
            self.draw(
                child,
                &format!("{indent}{branch}"),
                &format!("{indent}{next}"),
            );
        }
        if let Some(counted) = counted {
            let _ = writeln!(self.text, "{indent}└ {counted}");
        }
    }

    fn count(&self, children: &[Arc<Identity>]) -> String {
        let (mut all, mut on, mut watts) = (0, 0, 0.0);
        for child in children {
            if let Some(Reading::Machine(machine)) = self.reading(&child.name).as_deref() {
                all += 1;
                on += usize::from(machine.on);
                watts += machine.w;
            }
        }
        format!("{all} machines, {on} on, {}", power(watts))
    }

    fn reading(&self, device: &str) -> Option<Arc<Reading>> {
        match self.board.peek(Protocol::Metrics, device)? {
            Answer::Reading(reading) => Some(reading),
            Answer::Stale | Answer::Silence => None,
        }
    }

    fn words(&self, device: &str) -> String {
        match self.reading(device).as_deref() {
            Some(reading) => words(reading),
            None => "no telemetry".into(),
        }
    }
}

/// What a reading says, in a few words.
fn words(reading: &Reading) -> String {
    match reading {
        Reading::Utility(r) => format!("{}  {:.2} Hz  {}", volts(r.v), r.hz, power(r.w)),
        Reading::Ups(r) => ups(r),
        Reading::Generator(r) => {
            let state = match r.status {
                GeneratorStatus::Off => "off".to_string(),
                GeneratorStatus::Sensing => "sensing".to_string(),
                GeneratorStatus::Cranking => format!("cranking, attempt {}", r.attempts.max(1)),
                GeneratorStatus::Ready => "ready".to_string(),
                GeneratorStatus::Loaded => "loaded".to_string(),
                GeneratorStatus::Cooldown => "cooling down".to_string(),
                GeneratorStatus::Fault => format!("FAULT: {}", r.fault),
            };
            format!(
                "{state}  {}  {}  fuel {:.1} h",
                volts(r.v),
                power(r.w),
                r.fuel_h
            )
        }
        Reading::Transfer(r) => transfer(r),
        Reading::Bess(r) => {
            let state = match (r.status, r.mode) {
                (BessStatus::Connected, BessMode::Forming) => "forming".to_string(),
                (BessStatus::Connected, BessMode::Following) => "following".to_string(),
                (BessStatus::Fault, _) => format!("FAULT: {}", r.fault),
                (other, _) => format!("{other:?}").to_lowercase(),
            };
            let island = if r.islanded { "  island" } else { "" };
            let charge = r.charge * 100.0;
            format!(
                "{state}{island}  {}  {}  {charge:.0} %",
                volts(r.v),
                power(r.w)
            )
        }
        Reading::Pdu(r) => {
            let breaker = match (r.closed, r.tripped) {
                (true, _) => "",
                (false, true) => "  TRIPPED",
                (false, false) => "  open",
            };
            let off = r.outlets.iter().filter(|o| !o.on).count();
            let off = match off {
                0 => String::new(),
                1 => "  1 outlet off".to_string(),
                n => format!("  {n} outlets off"),
            };
            format!("{}  {:.1} A  {}{breaker}{off}", volts(r.v), r.a, power(r.w))
        }
        Reading::Shelf(r) => match &r.bbu {
            Some(bbu) => format!("{}  BBU {:.0} %", power(r.w), bbu.charge * 100.0),
            None => power(r.w),
        },
        Reading::Cooling(r) => {
            let state = match r.status {
                CoolingStatus::Running => "running",
                CoolingStatus::Tripped => "TRIPPED",
                CoolingStatus::Restarting => "restarting",
                CoolingStatus::Locked => "LOCKED",
            };
            format!("{state}  air {:.1} °C", r.temperature_c)
        }
        Reading::Machine(r) => match (r.on, r.braked) {
            (true, false) => power(r.w),
            (true, true) => format!("{}  braked", power(r.w)),
            (false, _) => "off".into(),
        },
    }
}

fn ups(r: &UpsReading) -> String {
    let state = match r.status {
        ReadingStatus::OnLine => "on line",
        ReadingStatus::Boost => "on line, boost",
        ReadingStatus::Trim => "on line, trim",
        ReadingStatus::OnBattery => "ON BATTERY",
        ReadingStatus::Bypass => "BYPASS",
        ReadingStatus::Off => "OFF",
    };
    let mut text = format!(
        "{state}  {}  {}  {:.0} %  {:.1} min",
        volts(r.output_v),
        power(r.output_w),
        r.charge * 100.0,
        r.runtime_s / 60.0
    );
    for (holds, word) in [
        (r.charging, "charging"),
        (r.low_battery, "LOW BATTERY"),
        (r.overload, "OVERLOAD"),
        (r.locked_out, "LOCKED OUT"),
        (r.replace_battery, "REPLACE BATTERY"),
    ] {
        if holds {
            text.push_str("  ");
            text.push_str(word);
        }
    }
    text
}

fn transfer(r: &TransferReading) -> String {
    let name = |index: usize| r.sources.get(index).map_or("?", |s| s.name.as_str());
    let active = match r.active {
        Some(index) => format!("on {}", name(index)),
        None => "OPEN".into(),
    };
    let inhibited = if r.inhibited { "  inhibited" } else { "" };
    format!(
        "{active}  {}  {}{inhibited}",
        volts(r.output_v),
        power(r.output_w)
    )
}

fn volts(v: f64) -> String {
    format!("{v:.1} V")
}

fn power(watts: f64) -> String {
    match watts.abs() {
        w if w >= 1e6 => format!("{:.2} MW", watts / 1e6),
        w if w >= 1e3 => format!("{:.2} kW", watts / 1e3),
        _ => format!("{:.0} W", watts + 0.0),
    }
}
