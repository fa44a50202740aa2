//! Telemetry faults: devices, protocols, variables.

use serde_json::Value as Json;

use ridethrough_faults::Question;
use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::supervisor::ask::{Point, points};
use ridethrough_targets::telemetry::{Distortion, Protocol};
use ridethrough_targets::units::Span;

use super::super::cards::cards;
use super::checker::Checker;
use crate::playbook::names;

/// The shortest period that a probe can follow.
const SHORTEST_PERIOD: Span = Span::from_millis(200);

pub(super) fn check(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let Some((how, devices, via)) = kind.distortion() else {
        return;
    };
    let known = devices_exist(c, path, devices);
    let questions = c.wiring.questions(kind);
    if known && !unsure(c) {
        spoken(c, path, devices, via, &questions);
    }
    match &how {
        Distortion::Lie { variable, value } => {
            variable_is_read(c, path, variable, &questions, Some(value));
        }
        Distortion::Scale { variable, factor } => {
            variable_is_read(c, path, variable, &questions, None);
            if !factor.is_finite() || *factor == 1.0 {
                let message = format!("a scale of {factor} changes nothing");
                c.wrong(&format!("{path}.factor"), message, "a number other than 1");
            }
        }
        Distortion::Slow { by } | Distortion::Delayed { by } if *by == Span::default() => {
            let message = "telemetry that is late by nothing".to_string();
            c.wrong(&format!("{path}.by"), message, "longer than 0s");
        }
        Distortion::Flapping { period } if *period < SHORTEST_PERIOD => {
            let message = format!("a probe cannot follow a period of {period}");
            let label = format!("at least {SHORTEST_PERIOD}");
            c.wrong(&format!("{path}.period"), message, &label);
        }
        _ => {}
    }
}

/// Part of the site could not be read: a device may be there.
fn unsure(c: &Checker<'_>) -> bool {
    c.unsure(|gaps| gaps.any(|gap| gap.starts_with("site") || gap.starts_with("stack")))
}

fn devices_exist(c: &mut Checker<'_>, path: &str, devices: &[String]) -> bool {
    let cards = cards(&c.playbook.site, &c.playbook.stack);
    let all: Vec<&str> = cards
        .iter()
        .flat_map(|card| card.devices.iter().map(|(name, _)| name.as_str()))
        .collect();
    let mut known = true;
    for (i, device) in devices.iter().enumerate() {
        let at = format!("{path}.devices.{i}");
        known &= c.exists(&at, ("device", "the site"), device, all.iter().copied());
    }
    known
}

/// Every device that is named speaks one of the protocols that are named.
fn spoken(
    c: &mut Checker<'_>,
    path: &str,
    devices: &[String],
    via: &[Protocol],
    questions: &[Question],
) {
    let readable = |q: &&Question| !points(q.via, &q.kind).is_empty();
    for (i, device) in devices.iter().enumerate() {
        if !questions
            .iter()
            .filter(readable)
            .any(|q| &q.device == device)
        {
            let wanted = names(via.iter().map(|via| via.name()));
            let message = format!("`{device}` does not speak {wanted}");
            c.wrong(
                &format!("{path}.devices.{i}"),
                message,
                "not by that protocol",
            );
        }
    }
    if devices.is_empty() && !questions.iter().any(|q| readable(&q)) {
        let message = "no device of the site speaks that".to_string();
        c.wrong_key(path, message, "nothing to hit");
    }
}

/// Whoever is hit has the variable, on a protocol that is hit.
fn variable_is_read(
    c: &mut Checker<'_>,
    path: &str,
    variable: &str,
    questions: &[Question],
    value: Option<&Json>,
) {
    let all: Vec<&Point> = questions
        .iter()
        .flat_map(|q| points(q.via, &q.kind))
        .collect();
    if all.is_empty() {
        return;
    }
    let at = format!("{path}.variable");
    let mut fields: Vec<&str> = all.iter().map(|point| point.field).collect();
    fields.sort_unstable();
    fields.dedup();
    if !c.exists(&at, ("variable", "what is hit"), variable, fields) {
        return;
    }
    for q in questions {
        let has = points(q.via, &q.kind).iter().any(|p| p.field == variable);
        if !has && !points(q.via, &q.kind).is_empty() {
            let message = format!(
                "no client reads `{variable}` of `{}` by {}",
                q.device,
                q.via.name()
            );
            c.wrong(&at, message, "cannot be witnessed there");
            c.hint(
                "name the devices and protocols that it is for: `devices: [ups-a]`, `via: [nut]`",
            );
            return;
        }
    }
    let Some(point) = all.iter().find(|point| point.field == variable) else {
        return;
    };
    match value {
        Some(value) if (point.step > 0.0) != value.is_number() => {
            let message = format!("`{variable}` cannot be {value}");
            let label = match point.step > 0.0 {
                true => "a number",
                false => "a word",
            };
            c.wrong(&format!("{path}.value"), message, label);
        }
        None if point.step == 0.0 => {
            c.wrong(&at, format!("`{variable}` has no scale"), "not a number");
        }
        _ => {}
    }
}
