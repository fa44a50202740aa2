//! Faults that are repeated, drawn, or wait for an occasion.

use ridethrough_targets::units::Span;

use crate::playbook::{Condition, FaultSpec};

use super::super::infrastructure::supervised;
use super::super::model::PlannedPhase;
use super::super::text::fault_kind_name;
use super::super::time::{MOST_TIMES, add, interval, occurrences, wait};
use super::checker::Checker;

/// From the end of one time to the beginning of the next, at least.
const BETWEEN: Span = Span::from_secs(1);

pub(super) fn check(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, phases: &[PlannedPhase]) {
    repeated(c, i, fault, phases);
    waiting(c, i, fault, phases);
    if let Some(when) = &fault.when {
        condition(c, &format!("faults.{i}.when"), when);
    }
}

fn repeated(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, phases: &[PlannedPhase]) {
    let kind = fault_kind_name(&fault.inject);
    let path = |key: &str| format!("faults.{i}.{key}");
    let Some(every) = fault.every else {
        if fault.times.is_some() {
            let message = format!("`{kind}` is injected several times, and not said how often");
            c.wrong(&path("times"), message, "how long between them?");
            c.hint("add `every: 16s`");
        }
        return;
    };
    if fault.when.is_some() {
        c.wrong(
            &path("every"),
            "a fault that waits is injected once",
            "not with `when`",
        );
        return;
    }
    let Ok((at, until)) = interval(fault, phases) else {
        return;
    };
    let lasts = Span::from_micros(until.micros().saturating_sub(at.micros()));
    if fault.lasts.is_none() {
        c.wrong(
            &path("every"),
            format!("each `{kind}` lasts for ever"),
            "how long is one?",
        );
        c.hint("add how long each lasts: `for: 200ms`");
        return;
    }
    if every > lasts && every.micros() - lasts.micros() < BETWEEN.micros() {
        let message = format!("`{kind}` lasts {lasts} and comes every {every}");
        c.wrong(
            &path("every"),
            message,
            &format!("at least {BETWEEN} more than it lasts"),
        );
        c.hint("between two times its end is seen, and what is usual is measured again");
        return;
    }
    if every <= lasts {
        let message = format!("`{kind}` lasts {lasts} and comes every {every}");
        c.wrong(&path("every"), message, "longer than it lasts");
        c.hint("a fault must be gone before it can come again");
        return;
    }
    often(c, i, fault, phases);
}

/// How often it is injected, and whether all of it fits.
fn often(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, phases: &[PlannedPhase]) {
    let kind = fault_kind_name(&fault.inject);
    let path = |key: &str| format!("faults.{i}.{key}");
    if fault.times.is_none() && fault.during.is_none() {
        c.wrong(
            &path("every"),
            format!("`{kind}` comes again and again"),
            "how often?",
        );
        c.hint("add `times: 6`, or `during: PHASE` to fill a phase");
        return;
    }
    if let Some(times) = fault
        .times
        .filter(|n| *n == 0 || u64::from(*n) > MOST_TIMES)
    {
        let message = format!("`{kind}` is injected {times} times");
        c.wrong(&path("times"), message, &format!("1 to {MOST_TIMES}"));
        return;
    }
    let Ok(all) = occurrences(fault, phases) else {
        return;
    };
    if all.len() as u64 > MOST_TIMES {
        let message = format!("`{kind}` would be injected more than {MOST_TIMES} times");
        c.wrong(&path("every"), message, "too often");
        return;
    }
    let phase = phases
        .iter()
        .find(|p| Some(&p.name) == fault.during.as_ref());
    let end = phase.or(phases.last()).map(|p| p.end).unwrap_or_default();
    if let Some((_, last)) = all.last().filter(|(_, last)| *last > end) {
        let (times, place) = (all.len(), phase.map_or("the run", |p| p.name.as_str()));
        let message =
            format!("{times} times `{kind}` last until {last}, and {place} ends at {end}");
        c.wrong(&path("times"), message, "too often");
    }
}

fn waiting(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, phases: &[PlannedPhase]) {
    let kind = fault_kind_name(&fault.inject);
    let path = |key: &str| format!("faults.{i}.{key}");
    if fault.when.is_none() {
        if fault.within.is_some() {
            let message = format!("`{kind}` waits, and not said for what");
            c.wrong(&path("within"), message, "for what?");
            c.hint("add `when: {battery_below: {ups: …, charge: 30%}}`");
        }
        return;
    }
    let Ok((at, until)) = interval(fault, phases) else {
        return;
    };
    if fault.lasts.is_none() {
        let message = format!("`{kind}` begins at an unknown time and never ends");
        c.wrong_key(&path("when"), message, "how long does it last then?");
        c.hint("add how long it lasts: `for: 5s`");
        return;
    }
    if fault.within.is_none() && fault.during.is_none() {
        let message = format!("`{kind}` waits without a bound");
        c.wrong_key(&path("when"), message, "for how long at most?");
        c.hint("add `within: 60s`, or `during: PHASE` to wait in a phase");
        return;
    }
    let phase = phases
        .iter()
        .find(|p| Some(&p.name) == fault.during.as_ref());
    let end = phase.or(phases.last()).map(|p| p.end).unwrap_or_default();
    let latest = add(until, wait(fault, phases));
    if fault.within.is_some() && until <= end && latest > end {
        let place = phase.map_or("the run".to_string(), |p| format!("phase `{}`", p.name));
        let message = format!(
            "`{kind}` may wait until {}, and last until {latest}; {place} ends at {end}",
            Span::from_micros(latest.micros() - (until.micros() - at.micros()))
        );
        c.wrong(&path("within"), message, "too long");
        c.hint("a fault is healed within the run, so that its healing can be seen");
    }
}

fn condition(c: &mut Checker<'_>, path: &str, when: &Condition) {
    let playbook = c.playbook;
    match when {
        Condition::BatteryBelow(it) => {
            let path = format!("{path}.battery_below");
            let ups = playbook.site.ups.keys().map(String::as_str);
            c.exists(&format!("{path}.ups"), ("UPS", "the site"), &it.ups, ups);
            if it.charge.get() <= 0.0 || it.charge.get() > 1.0 {
                let message = format!("a battery is never below {}", it.charge);
                c.wrong(&format!("{path}.charge"), message, "above 0%, at most 100%");
            }
        }
        Condition::Token(0) => {
            c.wrong(
                &format!("{path}.token"),
                "no answer has a token 0",
                "1 or more",
            );
        }
        Condition::Token(n) => {
            let longest = playbook.load.iter().map(|l| l.output_tokens.max).max();
            if let Some(longest) = longest.filter(|longest| n > longest) {
                let message = format!("no answer has {n} tokens; the longest has {longest}");
                c.wrong(&format!("{path}.token"), message, "never reached");
            }
        }
        Condition::Prefill(it) => {
            let path = format!("{path}.prefill");
            if let Some(on) = &it.on {
                let stack = &playbook.stack;
                let all = stack.nodes.keys().chain(stack.services.keys());
                let owner = ("node or service", "the stack");
                c.exists(&format!("{path}.on"), owner, on, all.map(String::as_str));
            }
            if it.at_least == 0 {
                c.wrong(&format!("{path}.at_least"), "always so", "1 or more");
            }
            if !playbook
                .stack
                .services
                .values()
                .any(|s| s.replica.is_some())
            {
                c.wrong_key(
                    &path,
                    "only reference replicas tell of their prefill",
                    "nobody tells",
                );
            }
        }
        Condition::Supervisor(_) => {
            if !supervised(&playbook.site) {
                let message = "this site has no supervisor of ours";
                c.wrong_key(&format!("{path}.supervisor"), message, "nobody tells");
            }
        }
    }
}
