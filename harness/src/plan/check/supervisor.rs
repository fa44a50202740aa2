//! The supervisor's policy.

use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>) {
    let site = &c.playbook.site;
    let policy = &site.supervisor;
    for (i, level) in policy.shed.iter().enumerate() {
        let path = format!("site.supervisor.shed.{i}");
        for (n, rack) in level.racks.iter().enumerate() {
            let racks = site.racks.keys().map(String::as_str);
            c.exists(
                &format!("{path}.racks.{n}"),
                ("rack", "the site"),
                rack,
                racks,
            );
        }
        let when = &level.when;
        let never = when.on_battery_for.is_none()
            && when.charge_below.is_none()
            && when.runtime_below.is_none();
        if never {
            let message = "this level is never entered".to_string();
            c.wrong_key(&format!("{path}.when"), message, "when?");
            c.hint("give it `on_battery_for`, `charge_below` or `runtime_below`");
        }
        if level.cap.is_none() && !level.off {
            let message = "this level gives nothing up".to_string();
            c.wrong(&path, message, "what?");
            c.hint("give it `cap: 60%` or `off: true`");
        }
        if let Some(cap) = level.cap
            && !(cap.get() > 0.0 && cap.get() < 1.0)
        {
            let message = format!("a cap at {cap} of what machines draw at most");
            c.wrong(&format!("{path}.cap"), message, "above 0%, below 100%");
        }
    }
    if policy.generators.is_some() && site.generators.is_empty() {
        let message = "the site has no generator to start".to_string();
        c.wrong_key("site.supervisor.generators", message, "nothing to tell");
    }
}
