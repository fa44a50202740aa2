//! `site:` and `stack:` may name a file; its tree takes the name's place.

use std::path::{Path, PathBuf};

use super::errors::Problem;
use super::parse::parse;
use super::source::{Sources, shown};
use super::tree::{Node, Value};
use super::words::did_you_mean;

/// Files larger than this are not playbooks.
pub(crate) const MAX_BYTES: u64 = 4 << 20;

/// Puts the files that `site` and `stack` name in their place.
pub(crate) fn include(
    root: &mut Node,
    playbook: &Path,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) {
    for key in ["site", "stack"] {
        let Some(node) = root.get_mut(key) else {
            continue;
        };
        let Some(name) = node.text().map(str::to_string) else {
            continue;
        };
        let tree = find(playbook, &name)
            .and_then(|path| Ok((read(&path)?, path)))
            .map(|(text, path)| {
                let source = sources.add(&path, &text);
                parse(&text, source, problems)
            });
        let broken = || Node {
            place: node.place,
            value: Value::Broken,
        };
        *node = match tree {
            Ok(tree) => tree.unwrap_or_else(broken),
            Err(why) => {
                problems.push(
                    Problem::new(node.place, why.message, format!("this {key}"))
                        .maybe_help(why.help),
                );
                broken()
            }
        };
    }
}

/// Why a file could not be had.
#[derive(Debug)]
pub(crate) struct NotRead {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Reads a file that must be text of a sane size.
pub(crate) fn read(path: &Path) -> Result<String, NotRead> {
    let failed = |why: String| NotRead {
        message: format!("cannot read `{}`: {why}", shown(path)),
        help: None,
    };
    let meta = std::fs::metadata(path).map_err(|e| failed(io_words(&e)))?;
    if meta.is_dir() {
        return Err(failed("it is a folder".into()));
    }
    if meta.len() > MAX_BYTES {
        return Err(failed(format!("larger than {} MiB", MAX_BYTES >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|e| failed(io_words(&e)))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        failed(format!("not UTF-8 text from byte {at} on"))
    })
}

fn io_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "no permission".into(),
        _ => error.to_string(),
    }
}

/// Beside the playbook, else below the nearest folder above it that has
/// `sites/` or `stacks/`.
pub(super) fn find(playbook: &Path, name: &str) -> Result<PathBuf, NotRead> {
    let folders = folders(playbook);
    let tried: Vec<PathBuf> = folders.iter().map(|folder| folder.join(name)).collect();
    if let Some(found) = tried.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    let places: Vec<String> = tried.iter().map(|path| shown(path)).collect();
    let guess = tried.iter().find_map(|path| sibling(path));
    let mut help = format!("looked for {}", places.join(" and "));
    if let Some(guess) = guess {
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        let guess = folder.join(guess);
        help = format!("did you mean `{}`?\n{help}", guess.display());
    }
    Err(NotRead {
        message: format!("no file `{name}`"),
        help: Some(help),
    })
}

fn folders(playbook: &Path) -> Vec<PathBuf> {
    let beside = match playbook.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut folders = vec![beside.clone()];
    let absolute = std::path::absolute(&beside).unwrap_or(beside.clone());
    let above = absolute
        .ancestors()
        .find(|folder| folder.join("sites").is_dir() || folder.join("stacks").is_dir());
    if let Some(above) = above
        && above != absolute
    {
        folders.push(above.to_path_buf());
    }
    folders
}

/// A file of the same folder with a similar name.
fn sibling(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let mut names: Vec<String> = std::fs::read_dir(path.parent()?)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| ending(name) == ending(wanted))
        .collect();
    names.sort();
    let hint = did_you_mean(wanted, names.iter().map(String::as_str))?;
    hint.split('`').nth(1).map(str::to_string)
}

/// What a file holds, by its name; YAML has two endings.
fn ending(name: &str) -> &str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        None | Some("yml") => "yaml",
        Some(ending) => ending,
    }
}
