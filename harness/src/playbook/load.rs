//! From a file to a [`Loaded`] playbook.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::errors::{PlaybookErrors, Problem};
use super::include::{include, read};
use super::model::Playbook;
use super::parse::parse;
use super::source::{Sources, shown};
use super::tree::Node;
use super::validate::validate;

/// A playbook that has the right shape, with the places of everything in it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was written.
    pub playbook: Playbook,
    /// The playbook's file.
    pub path: PathBuf,
    pub(crate) tree: Node,
    pub(crate) sources: Arc<Sources>,
}

impl Loaded {
    /// The text written at a dotted path, if it is text.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        let mut node = &self.tree;
        for segment in path.split('.') {
            node = node.get(segment)?;
        }
        node.text()
    }
}

/// Reads a playbook with the site and stack that it names.
///
/// # Errors
/// Every way in which the files are not a playbook, each with its place.
/// Names and times are not looked at yet; [`plan`](crate::plan::plan) does.
pub fn load_playbook(path: &Path) -> Result<Loaded, PlaybookErrors> {
    match read(path) {
        Ok(text) => load_text(path, &text),
        Err(why) => Err(PlaybookErrors::unreadable(
            &shown(path),
            why.message,
            why.help,
        )),
    }
}

/// As [`load_playbook`], from text that would stand in the file `path`.
///
/// # Errors
/// As [`load_playbook`].
pub fn load_text(path: &Path, text: &str) -> Result<Loaded, PlaybookErrors> {
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    let source = sources.add(path, text);
    let tree = parse(text, source, &mut problems).map(|mut tree| {
        include(&mut tree, path, &mut sources, &mut problems);
        problems.extend(validate(&tree));
        tree
    });
    let sources = Arc::new(sources);
    if let Some(errors) = PlaybookErrors::collect(problems, &sources) {
        return Err(errors);
    }
    let Some(tree) = tree else {
        let nothing = "the file holds nothing".to_string();
        return Err(PlaybookErrors::unreadable(&shown(path), nothing, None));
    };
    decode(tree, path.to_path_buf(), Arc::clone(&sources))
        .map_err(|problem| PlaybookErrors::of(problem, &sources))
}

/// A validated tree as types.
pub(crate) fn decode(tree: Node, path: PathBuf, sources: Arc<Sources>) -> Result<Loaded, Problem> {
    match serde_json::from_value(tree.to_json()) {
        Ok(playbook) => Ok(Loaded {
            playbook,
            path,
            tree,
            sources,
        }),
        Err(error) => {
            let place = tree.key_place_of("name");
            Err(Problem::new(place, error.to_string(), "in this playbook"))
        }
    }
}
