//! `ridethrough plan`: what will happen, before anything does.

use super::wrap::wrapped;
use crate::plan::{Plan, PlannedFault, Reach, assertion_name, fault_size};
use crate::playbook::{Arrivals, LoadSpec};

/// The plan as JSON, ending in a newline.
pub(super) fn plan_json(plan: &Plan) -> String {
    // A plan holds nothing that JSON cannot.
    let mut text = serde_json::to_string_pretty(plan).unwrap_or_default();
    text.push('\n');
    text
}

/// The plan as a timeline that people read.
pub(super) fn plan_text(plan: &Plan) -> String {
    let mut page = Page::default();
    head(&mut page, plan);
    phases(&mut page, plan);
    faults(&mut page, plan);
    load(&mut page, plan);
    promises(&mut page, plan);
    controls(&mut page, plan);
    notes(&mut page, plan);
    page.text
}

/// Lines without trailing space.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref().trim_end());
        self.text.push('\n');
    }

    fn title(&mut self, title: &str) {
        self.line("");
        self.line(title);
    }
}

fn head(page: &mut Page, plan: &Plan) {
    let (site, stack) = (&plan.playbook.site, &plan.playbook.stack);
    page.line(&plan.playbook.name);
    if let Some(why) = &plan.playbook.why {
        for line in wrapped(why, 76) {
            page.line(format!("  {line}"));
        }
    }
    page.line("");
    let parts = [
        many(site.utilities.len(), "utility", "utilities"),
        many(site.ups.len(), "UPS", "UPSs"),
        many(site.pdus.len(), "PDU", "PDUs"),
        many(site.racks.len(), "rack", "racks"),
    ];
    page.line(format!("  site    {}: {}", site.name, parts.join(", ")));
    let machines = many(plan.loads.len(), "machine", "machines");
    let (host, port) = &plan.entry;
    page.line(format!(
        "  stack   {}: {machines}; clients talk to {host}:{port}",
        stack.name
    ));
    let hash = plan.hash.get(..12).unwrap_or(&plan.hash);
    page.line(format!(
        "  run     {}, seed {}, playbook {hash}",
        plan.total, plan.seed
    ));
}

fn many(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

fn phases(page: &mut Page, plan: &Plan) {
    page.title("phases");
    let width = plan.phases.iter().map(|p| p.name.len()).max().unwrap_or(0);
    for phase in &plan.phases {
        let length = plan.playbook.phases.get(&phase.name);
        let length = length.map(ToString::to_string).unwrap_or_default();
        let (start, name) = (phase.start.to_string(), &phase.name);
        page.line(format!("  {start:>8}  {name:width$}  {length}"));
    }
}

fn faults(page: &mut Page, plan: &Plan) {
    page.title("faults");
    if plan.faults.is_empty() {
        page.line("  none");
    }
    let mut by_time: Vec<&PlannedFault> = plan.faults.iter().collect();
    by_time.sort_by_key(|fault| (fault.at, fault.index));
    // What is drawn differs from time to time; what is not is said once.
    let drawn = |fault: &PlannedFault| {
        let written = plan.playbook.faults.get(fault.written);
        written.is_some_and(|written| !written.or.is_empty())
    };
    let first = |fault: &&PlannedFault| {
        let mut earlier = plan.faults.iter().filter(|f| f.index < fault.index);
        drawn(fault) || !earlier.any(|f| f.written == fault.written)
    };
    for fault in by_time.into_iter().filter(first) {
        let name = if fault.name == fault.kind_name {
            String::new()
        } else {
            format!(" \"{}\"", fault.name)
        };
        let size = fault_size(&fault.kind).map(|s| format!(", {s}"));
        page.line(format!(
            "  {:>8}  {}{name}: {}{}, {}",
            if fault.manual {
                "by hand".into()
            } else {
                fault.at.to_string()
            },
            fault.kind_name,
            fault.target,
            size.unwrap_or_default(),
            length(fault)
        ));
        let times = plan.faults.iter().filter(|f| f.written == fault.written);
        let times = times.count();
        if times > 1 && !drawn(fault) {
            let every = plan
                .playbook
                .faults
                .get(fault.written)
                .and_then(|f| f.every);
            let every = every.unwrap_or_default();
            page.line(format!("            {times} times in all, every {every}"));
        }
        if let Some(question) = &fault.hold {
            page.line(format!("            on a game day, not before: {question}"));
        }
        for line in reach(&fault.reach) {
            page.line(format!("            {line}"));
        }
    }
}

/// How long a fault lasts, in words.
fn length(fault: &PlannedFault) -> String {
    match &fault.occasion {
        None if fault.manual => format!("for {}, on a game day", fault.lasts),
        None => format!("until {}", fault.until),
        Some(occasion) => format!(
            "for {} from when {} (waits up to {})",
            fault.lasts, occasion.text, occasion.within
        ),
    }
}

/// What a fault reaches, a kind of thing a line.
fn reach(reach: &Reach) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |what: &str, names: &[String]| {
        if !names.is_empty() {
            lines.push(format!("{what:9} {}", names.join(", ")));
        }
    };
    say("utilities", &reach.utilities);
    say("UPSs", &reach.ups);
    say("PDUs", &reach.pdus);
    let single: Vec<String> = reach
        .nodes
        .iter()
        .filter(|node| !reach.dual_corded.contains(node))
        .cloned()
        .collect();
    say("machines", &single);
    if !reach.dual_corded.is_empty() {
        let names = reach.dual_corded.join(", ");
        lines.push(format!("one cord  {names} (should live on the other)"));
    }
    if !reach.cut_off.is_empty() {
        let names = reach.cut_off.join(", ");
        lines.push(format!(
            "network   {names} (behind a switch that goes dark)"
        ));
    }
    if let Some((a, b)) = &reach.link {
        let side = |names: &[String]| match names {
            [] => "everything else".to_string(),
            names => names.join(", "),
        };
        lines.push(format!("between   {} and {}", side(a), side(b)));
    }
    lines
}

fn load(page: &mut Page, plan: &Plan) {
    page.title("load");
    let all = &plan.playbook.load;
    let width = all.iter().map(|l| l.name.len()).max().unwrap_or(0);
    for load in all {
        let name = &load.name;
        page.line(format!("  {name:width$}  {}", stream(load)));
    }
}

fn stream(load: &LoadSpec) -> String {
    let arrivals = match &load.arrivals {
        Arrivals::Constant { rate } => format!("{rate} evenly"),
        Arrivals::Poisson { rate } => format!("{rate} at random (Poisson)"),
    };
    let (input, output) = (&load.prompt_tokens, &load.output_tokens);
    let retries = match load.client.retries {
        0 => "no retries".to_string(),
        n => many(n as usize, "retry", "retries"),
    };
    format!(
        "{arrivals}, class {}, {input} tokens in, {output} out, {retries}",
        load.class
    )
}

fn promises(page: &mut Page, plan: &Plan) {
    page.title("promises");
    let names = plan.assertions.iter().map(|a| assertion_name(&a.assertion));
    let width = names.map(str::len).max().unwrap_or(0);
    for promise in &plan.assertions {
        let name = assertion_name(&promise.assertion);
        page.line(format!("  {name:width$}  {}", promise.text));
    }
}

/// A longer list is counted, not shown.
const MOST_ITEMS: usize = 4;

fn controls(page: &mut Page, plan: &Plan) {
    let controls = &plan.playbook.controls;
    if controls.is_empty() {
        return;
    }
    page.title("controls");
    for control in controls {
        page.line(format!(
            "  {}: must fail on {}",
            control.name, control.fails
        ));
        for (path, value) in &control.set {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Array(items) if items.len() > MOST_ITEMS => {
                    format!("{} items", items.len())
                }
                other => other.to_string(),
            };
            page.line(format!("    {path}: {value}"));
        }
    }
}

fn notes(page: &mut Page, plan: &Plan) {
    if plan.notes.is_empty() {
        return;
    }
    page.title("notes");
    for note in &plan.notes {
        page.line(format!("  {note}"));
    }
}
