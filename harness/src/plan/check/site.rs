//! The site: its physics knows best what cannot be.

use ridethrough_targets::plant::{Plant, SiteError};

use super::super::machines::loads;
use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    let mut loads = loads(&playbook.stack);
    // A machine in no rack was reported where it is written.
    loads.retain(|load| playbook.site.racks.contains_key(&load.rack));
    if let Err(errors) = Plant::new(&playbook.site, &loads) {
        for error in &errors {
            report(c, error);
        }
    }
    hosts(c);
}

/// A problem of the plant, at the component it names.
pub(super) fn report(c: &mut Checker<'_>, error: &SiteError) {
    let path = match error.component.as_str() {
        "" | "site" => "site".to_string(),
        other => format!("site.{}", other.strip_prefix("site.").unwrap_or(other)),
    };
    let name = error.component.rsplit('.').next().unwrap_or_default();
    c.wrong(
        &path,
        format!("{}: {}", error.component, error.problem),
        name,
    );
}

/// A UPS's card is a host of its name.
fn hosts(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    for name in playbook.site.ups.keys() {
        c.host_name(&format!("site.ups.{name}"), "UPS", name);
        if playbook.stack.nodes.contains_key(name) {
            let message = format!("UPS `{name}` has the name of a machine");
            c.wrong_key(&format!("site.ups.{name}"), message, "a host name twice");
            c.also(&format!("stack.nodes.{name}"), "the machine");
            c.hint("the UPS's management card is a host of the UPS's name");
        }
    }
}
