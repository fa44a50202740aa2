//! What promises about the power of a site name, and what of it they need.

use super::checker::Checker;

/// Components whose output voltage is watched.
pub(super) fn buses(c: &mut Checker<'_>, path: &str, at: &[String]) {
    let site = &c.playbook.site;
    if at.is_empty() && site.ups.is_empty() && !c.unsure(|gaps| !gaps.names_stand("UPS")) {
        let message = "`ride_through` looks at the load buses behind UPSs, and the site has none";
        c.wrong_key(path, message, "nothing to look at");
        c.hint("name what to look at: `at: [pdu-a]`");
    }
    for (i, name) in at.iter().enumerate() {
        let all = site.ups.keys().chain(site.pdus.keys());
        let all = all.chain(site.transfers.keys()).chain(site.bess.keys());
        let place = format!("{path}.at.{i}");
        let all = all.map(String::as_str);
        c.exists(&place, ("component", "the site"), name, all);
    }
}

pub(super) fn generator(c: &mut Checker<'_>, path: &str, name: Option<&str>) {
    let all = c.playbook.site.generators.keys().map(String::as_str);
    one(c, path, ("generator", "generators"), name, all.collect());
}

pub(super) fn cooling(c: &mut Checker<'_>, path: &str, name: Option<&str>) {
    let all = c.playbook.site.cooling.keys().map(String::as_str);
    one(c, path, ("cooling", "cooling"), name, all.collect());
}

/// A thing that a promise names, or all of its sort: there must be one.
fn one(
    c: &mut Checker<'_>,
    path: &str,
    (key, section): (&str, &str),
    name: Option<&str>,
    all: Vec<&str>,
) {
    if let Some(name) = name {
        c.exists(&format!("{path}.{key}"), (key, "the site"), name, all);
    } else if all.is_empty() && !c.unsure(|gaps| gaps.below(&format!("site.{section}"))) {
        let kind = path.rsplit('.').next().unwrap_or(path);
        let message = format!("`{kind}` needs {section}, and the site has none");
        c.wrong_key(path, message, "nothing to look at");
    }
}

/// The machines of an order: they exist, each once, and there are some.
pub(super) fn machines(c: &mut Checker<'_>, path: &str, names: &[String]) {
    if names.is_empty() {
        let message = "an order of no machines holds by itself".to_string();
        c.wrong_key(&format!("{path}.machines"), message, "empty");
    }
    for (i, name) in names.iter().enumerate() {
        let at = format!("{path}.machines.{i}");
        let all = c.playbook.stack.nodes.keys().map(String::as_str);
        let known = c.exists(&at, ("node", "the stack"), name, all);
        if known && names[..i].contains(name) {
            c.wrong(&at, format!("`{name}` goes off twice"), "again");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::playbook::tests::{good_text, shown};

    /// What is wrong with the sample when it promises this.
    fn wrong(promise: &str) -> String {
        let text = good_text();
        let (before, _) = text.split_once("assert:").expect("promises");
        shown(&format!("{before}assert:\n  - {promise}\n"))
    }

    #[test]
    fn what_is_named_exists() {
        assert_eq!(
            wrong("ride_through: {curve: itic, at: [pdu-a, ups-a]}"),
            "no error"
        );
        for (promise, problem) in [
            (
                "ride_through: {curve: itic, at: [pdu-x]}",
                "no component `pdu-x`",
            ),
            ("ride_through: {curve: itc}", "itic"),
            (
                "generator: {accepted_within: 15s}",
                "`generator` needs generators",
            ),
            ("temperature: {below: 40C}", "`temperature` needs cooling"),
            ("retransfer: {within: 1s, ups: ups-x}", "no UPS `ups-x`"),
            ("recharge: {within: 1s, to: 120%}", "can never hold"),
            (
                "truth_lag: {within: 1s, during: outrage}",
                "no phase `outrage`",
            ),
            ("no_false_shutdown: {during: outrage}", "no phase `outrage`"),
        ] {
            let text = wrong(promise);
            assert!(text.contains(problem), "{promise}: {text}");
        }
    }
}
