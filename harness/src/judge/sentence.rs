//! The verdict in plain words.

use ridethrough_targets::plant::UpsState;

use super::bus::worst_gap;
use super::facts::{Fault, RunFacts};
use super::quantity::{count, grouped, share, time};
use super::run::Judgement;
use super::verdict::{INTERRUPTED, Verdict};
use crate::load::Group;

/// What happened, what became of the requests, and what that means. Where the
/// experiment did not hold, that comes first, and nothing is said of faults
/// that may never have been there.
pub fn sentence(judgement: &Judgement) -> String {
    let facts = &judgement.facts;
    if judgement.verdict == Verdict::Invalid || judgement.exit == INTERRUPTED {
        return format!("{} {}", nothing(judgement), requests(facts));
    }
    let parts = [
        Some(faults(facts)),
        handover(facts),
        Some(requests(facts)),
        Some(meaning(judgement)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" ")
}

/// How the load buses fared when their UPSs were hit, where a battery carried them
/// or nothing did.
fn handover(facts: &RunFacts) -> Option<String> {
    let gap = worst_gap(facts)?;
    let length = time(gap.length_us);
    let mut moves = facts.ups_moves.iter();
    if gap.length_us > 0 && !gap.recovered {
        Some(format!("{} had no power for {length}.", capital(&gap.bus)))
    } else if moves.any(|m| m.to == UpsState::OnBattery) {
        Some(format!("Battery took over in {length}."))
    } else {
        None
    }
}

fn nothing(judgement: &Judgement) -> String {
    if judgement.exit == INTERRUPTED {
        return "The run was interrupted, so it says nothing.".into();
    }
    let why = judgement.invalid.first().map_or("", |reason| &**reason);
    format!("The experiment did not hold, so this run says nothing: {why}.")
}

fn faults(facts: &RunFacts) -> String {
    match &facts.faults[..] {
        [] => "Nothing was broken.".into(),
        [one] => format!("{}.", capital(&fault(one))),
        [one, two] => format!("{}, and {}.", capital(&fault(one)), fault(two)),
        many => {
            let due = |f: &Fault| f.receipt.requested_us;
            let start = many.iter().map(due).min().unwrap_or(0);
            let end = many
                .iter()
                .map(|f| f.receipt.until_us)
                .max()
                .unwrap_or(start);
            let window = time(end.saturating_sub(start));
            format!("{} within {window}.", count(many.len(), "fault"))
        }
    }
}

fn fault(fault: &Fault) -> String {
    let receipt = &fault.receipt;
    let lasted = time(receipt.until_us.saturating_sub(receipt.requested_us));
    let target = &receipt.target;
    let level = receipt.requested.get("to");
    let to = level.map_or(String::new(), |value| match value {
        serde_json::Value::String(text) => format!(" to {text}"),
        other => other
            .as_f64()
            .map_or(String::new(), |pu| format!(" to {}", share(pu))),
    });
    match &*receipt.fault_kind {
        "utility_outage" => format!("the grid was gone for {lasted}"),
        "sag" => format!("the grid sagged{to} for {lasted}"),
        "brownout" => format!("the grid stayed low{to} for {lasted}"),
        // The plan's target says what of it: `battery of ups-a`, `breaker of pdu-b`.
        "battery_open" => format!("the {target} was open for {lasted}"),
        "swell" => format!("the grid rose{to} for {lasted}"),
        "frequency" => format!("the grid was off its frequency for {lasted}"),
        "waveform" => format!("the grid followed a recording for {lasted}"),
        "generator_fails" => format!("the {target} was broken for {lasted}"),
        "ats_fails" => format!("the {target} was stuck for {lasted}"),
        "ups_fails" => format!("the {target} was broken for {lasted}"),
        "ups_bypass" => format!("{target} was on its bypass for {lasted}"),
        "retransfer_fails" => format!("the {target} failed for {lasted}"),
        "breaker_pickup" => format!("the {target} had a wrong pickup for {lasted}"),
        "outlet_off" => format!("the {target} was off for {lasted}"),
        "psu_fails" => format!("{target} was broken for {lasted}"),
        "cooling_trips" => format!("the {target} had tripped for {lasted}"),
        "power_cap" => format!("{target} was held to a power for {lasted}"),
        "battery_aged" => format!("the {target} was weak for {lasted}"),
        "breaker_opens" => format!("the {target} was open for {lasted}"),
        "power_loss" => format!("{target} had no power for {lasted}"),
        "power_brake" => format!("{target} was braked for {lasted}"),
        "hang" => format!("{target} hung for {lasted}"),
        "partition" => format!("{target} was partitioned for {lasted}"),
        "link_down" => format!("the link of {target} was down for {lasted}"),
        "latency" => format!("{target} was slow for {lasted}"),
        "loss" => format!("{target} lost packets for {lasted}"),
        "disk_slow" => format!("the {target} were slow for {lasted}"),
        "disk_full" => format!("the {target} were full for {lasted}"),
        "io_error" => format!("the {target} failed for {lasted}"),
        "torn_writes" => format!("the {target} tore for {lasted}"),
        "forgets_fsync" => format!("the {target} forgot their flushes for {lasted}"),
        other => format!("{other} hit {target} for {lasted}"),
    }
}

fn requests(facts: &RunFacts) -> String {
    let total = facts.rows.len();
    if total == 0 {
        return "No request was sent.".into();
    }
    let of = |group: Group| facts.rows.iter().filter(|r| r.group() == group).count();
    let whole = of(Group::Whole);
    let all = if total == 1 { "request" } else { "requests" };
    let mut text = format!("{} of {} {all} finished", grouped(whole), grouped(total));
    let others = [
        (Group::Shed, "turned away in good order"),
        (Group::Torn, "broke off"),
        (Group::Lost, "lost"),
        (Group::Corrupted, "answered wrongly"),
    ];
    let others = others.iter().filter(|(group, _)| of(*group) > 0);
    let others: Vec<String> = others
        .map(|(g, words)| format!("{} {words}", grouped(of(*g))))
        .collect();
    if !others.is_empty() {
        text = format!("{text} ({})", others.join(", "));
    }
    let silence = facts.rows.iter().filter_map(|r| r.silence_max_us()).max();
    match silence {
        Some(us) => format!("{text}; the longest pause a reader saw was {}.", time(us)),
        None => format!("{text}; no reader saw a token."),
    }
}

fn meaning(judgement: &Judgement) -> String {
    let all = judgement.assertions.len();
    let failed = judgement
        .assertions
        .iter()
        .filter(|a| a.verdict == Verdict::Fail);
    let failed: Vec<&str> = failed.map(|a| &*a.kind).collect();
    match judgement.verdict {
        Verdict::Pass if all == 1 => "The promise held.".into(),
        Verdict::Pass if all == 0 => "Nothing was promised.".into(),
        Verdict::Pass => format!("All {all} promises held."),
        Verdict::Fail | Verdict::Invalid => {
            let mut names = failed.clone();
            names.dedup();
            let what = count(all, "promise");
            format!("{} of {what} broken: {}.", failed.len(), names.join(", "))
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // Names of machines and UPSs stay as they are written.
        Some(first) if text.starts_with("the ") => first.to_uppercase().chain(chars).collect(),
        _ => text.into(),
    }
}
