//! The promise that no rack hangs on one component: a question to the site, so
//! it is answered before anything runs.

use ridethrough_targets::plant::common_modes;

use crate::playbook::NoCommonModeAssert;

use super::super::common_mode::cords;
use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>, path: &str, asked: &NoCommonModeAssert) {
    names(c, path, asked);
    let site = &c.playbook.site;
    // What hangs on what is open where a part of the site could not be read.
    if c.unsure(|gaps| gaps.below("site")) {
        return;
    }
    let corded = |rack: &&str| site.racks.get(*rack).is_some_and(|r| r.cords.len() > 1);
    let looked_at: Vec<&str> = match &asked.racks[..] {
        [] => site
            .racks
            .keys()
            .map(String::as_str)
            .filter(corded)
            .collect(),
        racks => racks.iter().map(String::as_str).collect(),
    };
    if looked_at.is_empty() {
        c.wrong_key(path, "no rack has two cords", "nothing to look at");
        return;
    }
    for (rack, by) in common_modes(site) {
        if !looked_at.contains(&rack.as_str()) || asked.except.contains(&by) {
            continue;
        }
        let cords = cords(site, &rack);
        let message = format!("rack {rack}: losing {by} drops {cords}");
        c.wrong_key(path, message, "broken before anything runs");
        c.also_key(&format!("site.racks.{rack}"), "this rack");
        c.hint(format!(
            "feed it from elsewhere, or allow it: `except: [{by}]`"
        ));
    }
}

fn names(c: &mut Checker<'_>, path: &str, asked: &NoCommonModeAssert) {
    let site = &c.playbook.site;
    for (i, rack) in asked.racks.iter().enumerate() {
        let place = format!("{path}.racks.{i}");
        let all = site.racks.keys().map(String::as_str);
        if c.exists(&place, ("rack", "the site"), rack, all)
            && site.racks.get(rack).is_some_and(|r| r.cords.len() < 2)
        {
            let message = format!("rack {rack} has one cord: all that feeds it is a common mode");
            c.wrong(&place, message, "one cord");
        }
    }
    for (i, name) in asked.except.iter().enumerate() {
        let place = format!("{path}.except.{i}");
        c.exists(&place, ("component", "the site"), name, components(c));
    }
}

/// Every component that others can hang on.
fn components<'a>(c: &Checker<'a>) -> Vec<&'a str> {
    let site = &c.playbook.site;
    let sources = site.utilities.keys().chain(site.generators.keys());
    let between = site.transfers.keys().chain(site.ups.keys());
    let buses = site.bess.keys().chain(site.pdus.keys());
    let all = sources.chain(between).chain(buses);
    all.map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::plan::plan_source;
    use crate::playbook::tests::{GOOD, SITE, good_text, inline, shown};

    /// The sample with one promise, and this changed in its site.
    fn promised(promise: &str, edits: &[(&str, &str)]) -> String {
        let text = good_text();
        let (before, _) = text.split_once("assert:").expect("promises");
        inline(&format!("{before}assert:\n  - {promise}\n"), SITE, edits)
    }

    const SHARED: &[(&str, &str)] = &[("  pdu-b:\n    from: ups-b", "  pdu-b:\n    from: ups-a")];

    #[test]
    fn a_common_mode_is_told_where_it_was_promised_away() {
        assert_eq!(shown(&promised("no_common_mode: {}", &[])), "no error");
        let text = shown(&promised("no_common_mode: {}", SHARED));
        assert!(
            text.contains("rack r1: losing ups-a drops both cords"),
            "{text}"
        );
        assert!(text.contains("- no_common_mode: {}"), "{text}");
        let allowed = "no_common_mode: {racks: [r1], except: [ups-a]}";
        assert_eq!(shown(&promised(allowed, SHARED)), "no error");
    }

    #[test]
    fn it_speaks_of_racks_with_two_cords() {
        let text = shown(&promised("no_common_mode: {racks: [r2, r9]}", &[]));
        assert!(text.contains("rack r2 has one cord"), "{text}");
        assert!(text.contains("no rack `r9`"), "{text}");
        let text = shown(&promised("no_common_mode: {except: [ups-c]}", &[]));
        assert!(text.contains("no component `ups-c`"), "{text}");
        let single = [("r1: {cords: [pdu-a, pdu-b]}", "r1: {cords: [pdu-a]}")];
        let text = shown(&promised("no_common_mode: {}", &single));
        assert!(text.contains("no rack has two cords"), "{text}");
    }

    #[test]
    fn without_the_promise_it_is_a_note() {
        let text = promised("continuity: {}", SHARED);
        let (_, plan) = plan_source(Path::new(GOOD), &text).expect("a plan");
        assert_eq!(plan.notes, ["rack r1: losing ups-a drops both cords"]);
        let text = promised("continuity: {}", &[]);
        let (_, plan) = plan_source(Path::new(GOOD), &text).expect("a plan");
        assert!(plan.notes.is_empty());
    }
}
