//! A site by itself, without a playbook.

use std::path::Path;
use std::sync::Arc;

use super::errors::PlaybookErrors;
use super::include::read;
use super::load::{Loaded, decode};
use super::parse::parse;
use super::source::{Sources, shown};
use super::tree::Value;
use super::validate::examine;

/// A playbook with room for a site. Nothing of it is ever run.
const FRAME: &str = "
name: site
site: {}
stack:
  name: none
  entry: none
  nodes: {none: {rack: none}}
  services: {none: {on: [none], command: [none]}}
load: [{name: none, arrivals: {poisson: {rate: 1/s}}}]
phases: {all: 1s}
assert: [{continuity: {lost: 0}}]
";

/// Reads a site's file into the frame of a playbook, so that what is wrong with
/// it is told as in one.
///
/// # Errors
/// Every way in which the file is not a site, each with its place.
pub(crate) fn load_site(path: &Path) -> Result<Loaded, PlaybookErrors> {
    let text = read(path)
        .map_err(|why| PlaybookErrors::unreadable(&shown(path), why.message, why.help))?;
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    let source = sources.add(path, &text);
    let site = parse(&text, source, &mut problems);
    let frame = sources.add(Path::new("site"), FRAME);
    let tree = parse(FRAME, frame, &mut problems);
    let sources = Arc::new(sources);
    let told = |problems| {
        PlaybookErrors::collect(problems, &sources)
            .unwrap_or_else(|| PlaybookErrors::unreadable(&shown(path), "not a site".into(), None))
    };
    let (Some(site), Some(mut tree)) = (site, tree) else {
        return Err(told(problems));
    };
    if let Value::Map(entries) = &mut tree.value
        && let Some(room) = entries.iter_mut().find(|entry| entry.key == "site")
    {
        room.key_place = site.entries().first().map_or(site.place, |e| e.key_place);
        room.value = site;
    }
    problems.extend(examine(&tree).problems);
    if !problems.is_empty() {
        return Err(told(problems));
    }
    decode(tree, path.to_path_buf(), Arc::clone(&sources)).map_err(|problem| told(vec![*problem]))
}
