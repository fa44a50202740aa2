//! The shipped playbooks, each explained.

use std::fmt::Write;
use std::path::Path;

use crate::plan::{Plan, plan};
use crate::playbook::load_playbook;

/// How deep below a folder playbooks are looked for: themes and their files.
const DEPTH: usize = 2;

/// An entry of each playbook below a folder, by path.
pub(super) fn entries(folder: &Path) -> String {
    let mut files = Vec::new();
    yaml_below(folder, DEPTH, &mut files);
    files.sort();
    let entry = |path: &std::path::PathBuf| {
        let loaded = load_playbook(path).ok()?;
        let plan = plan(&loaded).ok()?;
        let place = path.strip_prefix(folder).unwrap_or(path);
        Some(entry(&place.to_string_lossy(), &plan))
    };
    files.iter().filter_map(entry).collect()
}

fn yaml_below(folder: &Path, depth: usize, found: &mut Vec<std::path::PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        // Tests have playbooks of their own, which show one kind each.
        let skipped = path.file_name().is_some_and(|name| name == "tests");
        if path.is_dir() && depth > 1 && !skipped {
            yaml_below(&path, depth - 1, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
}

fn entry(place: &str, plan: &Plan) -> String {
    let playbook = &plan.playbook;
    let mut out = format!("\n## {}\n\n`{place}`", playbook.name);
    if let Some(why) = &playbook.why {
        let why: Vec<&str> = why.split_whitespace().collect();
        let _ = write!(out, ": {}", why.join(" "));
    }
    out += "\n\n";
    for fault in &plan.faults {
        let at = fault.at;
        let _ = writeln!(
            out,
            "- at {at} for {}: {} on {}",
            fault.lasts, fault.name, fault.target
        );
    }
    for promise in &plan.assertions {
        let _ = writeln!(out, "- promises: {}", promise.text);
    }
    for control in &playbook.controls {
        let _ = writeln!(
            out,
            "- control *{}* fails `{}`",
            control.name, control.fails
        );
    }
    out
}
