//! `ridethrough list`: the vocabulary, from the one place it is defined in, and
//! the playbooks at hand.

use std::path::{Path, PathBuf};

use super::wrap::wrapped;
use crate::playbook::{Described, assertions, faults, load_playbook, playbook_head};

/// The kinds of fault, with what each needs.
pub(super) fn list_faults() -> String {
    vocabulary(&faults())
}

/// The kinds of assertion, with what each needs.
pub(super) fn list_assertions() -> String {
    vocabulary(&assertions())
}

fn vocabulary(kinds: &[Described]) -> String {
    let width = kinds.iter().map(|k| k.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for kind in kinds {
        let lines = wrapped(&kind.description, 78 - width);
        for (i, line) in lines.iter().enumerate() {
            let name = if i == 0 { kind.name.as_str() } else { "" };
            out += format!("{name:width$}  {line}").trim_end();
            out.push('\n');
        }
        out += &" ".repeat(width + 2);
        out += &kind.keys.join(", ");
        out.push('\n');
    }
    out
}

/// A playbook found in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedPlaybook {
    /// Its file.
    pub(super) path: PathBuf,
    /// Its name.
    pub(super) name: String,
    /// Why anybody would want to know, on one line.
    pub(super) why: String,
    /// Whether it reads as a playbook.
    pub(super) good: bool,
}

/// Folders deeper than this are not looked into.
const MAX_DEPTH: usize = 8;

/// Every playbook below these folders or files, by path. A YAML file counts as
/// one when it has `assert:` at the top; sites and stacks have not.
pub(super) fn playbooks_below(roots: &[PathBuf]) -> Vec<ListedPlaybook> {
    let mut files = Vec::new();
    for root in roots {
        yaml_files(root, MAX_DEPTH, &mut files);
    }
    files.sort();
    files.dedup();
    files.iter().filter_map(|path| listed(path)).collect()
}

/// The playbooks below these folders or files, as people read them.
pub(super) fn list_playbooks(roots: &[PathBuf]) -> String {
    let mut lines = Vec::new();
    for playbook in playbooks_below(roots) {
        let mark = if playbook.good {
            ""
        } else {
            "  (has errors; see `ridethrough check`)"
        };
        lines.push(format!("{}{mark}", playbook.path.display()));
        let mut about = vec![playbook.name];
        about.extend(wrapped(&playbook.why, 76));
        about.retain(|line| !line.is_empty());
        lines.extend(about.iter().map(|line| format!("    {line}")));
    }
    if lines.is_empty() {
        let places: Vec<_> = roots.iter().map(|r| r.display().to_string()).collect();
        lines.push(format!("no playbooks below {}", places.join(", ")));
    }
    lines.join("\n") + "\n"
}

fn yaml_files(path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    if path.is_file() {
        if is_yaml {
            files.push(path.to_path_buf());
        }
        return;
    }
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    if depth == 0 || hidden && depth < MAX_DEPTH {
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        yaml_files(&entry.path(), depth - 1, files);
    }
}

fn listed(path: &Path) -> Option<ListedPlaybook> {
    let (name, why) = playbook_head(path)?;
    Some(ListedPlaybook {
        path: path.to_path_buf(),
        name,
        why: why.split_whitespace().collect::<Vec<_>>().join(" "),
        good: load_playbook(path).is_ok(),
    })
}
