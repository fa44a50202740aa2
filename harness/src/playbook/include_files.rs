//! `files: {/etc/x.conf: {from: x.conf}}` names a file beside the one that says
//! so; its text takes the name's place, so that the playbook as resolved needs no
//! other file. What a `build` reads is named from where the run is started.

use std::path::{Path, PathBuf};

use super::errors::Problem;
use super::include::{find, read};
use super::source::{Sources, shown};
use super::tree::{Entry, Node, Value};

/// Puts the files that services and controls name in their place.
pub(crate) fn include_files(root: &mut Node, sources: &mut Sources, problems: &mut Vec<Problem>) {
    let services = root.get_mut("stack").and_then(|n| n.get_mut("services"));
    for service in entries(services) {
        for file in entries(service.value.get_mut("files")) {
            put(&mut file.value, sources, problems);
        }
        let build = service.value.get_mut("build");
        if let Some(context) = build.and_then(|build| build.get_mut("context")) {
            settle(context, sources);
        }
    }
    let Some(Value::List(controls)) = root.get_mut("controls").map(|node| &mut node.value) else {
        return;
    };
    for control in controls {
        for change in entries(control.get_mut("set")) {
            if change.key.ends_with(".files") {
                for file in entries(Some(&mut change.value)) {
                    put(&mut file.value, sources, problems);
                }
            }
        }
    }
}

fn entries(node: Option<&mut Node>) -> &mut [Entry] {
    match node.map(|node| &mut node.value) {
        Some(Value::Map(entries)) => entries,
        _ => &mut [],
    }
}

/// `{text: …}` in the place of `{from: name}`.
fn put(file: &mut Node, sources: &Sources, problems: &mut Vec<Problem>) {
    let Some([only]) = map(file) else {
        return;
    };
    if only.key != "from" {
        return;
    }
    let Some(name) = only.value.text().map(str::to_string) else {
        return;
    };
    let place = only.value.place;
    let by = sources
        .get(place.source)
        .map(|file| PathBuf::from(&file.name));
    let found = find(&by.unwrap_or_default(), &name).and_then(|path| read(&path));
    only.key = "text".into();
    only.value.value = match found {
        Ok(text) => Value::Text(text),
        Err(why) => {
            let problem = Problem::new(place, why.message, "this file");
            problems.push(problem.maybe_help(why.help));
            Value::Broken
        }
    };
}

fn map(node: &mut Node) -> Option<&mut [Entry]> {
    match &mut node.value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

/// A folder by the name that it has from here.
fn settle(context: &mut Node, sources: &Sources) {
    let Some(name) = context.text().map(str::to_string) else {
        return;
    };
    let by = sources.get(context.place.source);
    let folder = by.and_then(|file| Path::new(&file.name).parent());
    let path = folder.unwrap_or(Path::new("")).join(name);
    context.value = Value::Text(shown(&path));
}
