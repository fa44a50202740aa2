//! Finding the playbooks of this folder.

use std::path::{Path, PathBuf};

/// A playbook file that is shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its theme, which is its folder: `power`, `network`, `node`.
    pub theme: String,
    /// Its file's name without the ending.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Every playbook below `root`, in order of theme and name. The folders
/// `sites` and `stacks` hold parts of playbooks, and what is in `canary` must fail:
/// they are passed over.
pub fn shipped(root: &Path) -> std::io::Result<Vec<Shipped>> {
    let mut found = Vec::new();
    for theme in sorted(root)? {
        let name = file_name(&theme);
        if !theme.is_dir() || ["sites", "stacks", "canary", "src", "tests"].contains(&name.as_str())
        {
            continue;
        }
        for path in sorted(&theme)? {
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
                let name = stem.unwrap_or_default();
                found.push(Shipped {
                    theme: file_name(&theme),
                    name,
                    path,
                });
            }
        }
    }
    Ok(found)
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}
