//! From a file to a [`Loaded`] playbook.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::errors::{PlaybookErrors, Problem};
use super::gaps::Gaps;
use super::include::{include, read};
use super::include_files::include_files;
use super::model::Playbook;
use super::parse::parse;
use super::recording::include_recordings;
use super::repair::repair;
use super::source::{Sources, shown};
use super::tree::Node;
use super::validate::examine;

/// A playbook that has the right shape, with the places of everything in it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was written.
    pub playbook: Playbook,
    /// The playbook's file.
    pub path: PathBuf,
    pub(crate) tree: Node,
    pub(crate) sources: Arc<Sources>,
    /// What could not be read; empty where all could.
    pub(crate) gaps: Gaps,
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

    /// The line on which each promise was written, from 1, in their order.
    pub fn promise_lines(&self) -> Vec<usize> {
        let line = |index: usize| {
            let node = self.tree.get("assert")?.get(&index.to_string())?;
            let file = self.sources.get(node.place.source)?;
            Some(file.line_column(node.place.start).0)
        };
        let all = 0..self.playbook.assert.len();
        all.map(|index| line(index).unwrap_or(1)).collect()
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
    load_parts(path, text).map_err(|bad| bad.errors())
}

/// A file that is not a playbook.
pub(crate) struct Bad {
    pub(crate) problems: Vec<Problem>,
    pub(crate) sources: Arc<Sources>,
    /// What is left of it, with placeholders of two sizes for what could not be
    /// read; empty where nothing is.
    pub(crate) rest: Vec<Loaded>,
}

impl Bad {
    /// As people see it.
    pub(crate) fn errors(self) -> PlaybookErrors {
        PlaybookErrors::collect(self.problems, &self.sources).unwrap_or_else(|| {
            PlaybookErrors::unreadable("playbook", "not a playbook".into(), None)
        })
    }
}

/// As [`load_text`], with what a look at the names needs when it fails.
pub(crate) fn load_parts(path: &Path, text: &str) -> Result<Loaded, Box<Bad>> {
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    let source = sources.add(path, text);
    let tree = parse(text, source, &mut problems).map(|mut tree| {
        include(&mut tree, path, &mut sources, &mut problems);
        include_files(&mut tree, &mut sources, &mut problems);
        include_recordings(&mut tree, path, &mut sources, &mut problems);
        tree
    });
    let sources = Arc::new(sources);
    let bad = |problems, rest| {
        Box::new(Bad {
            problems,
            sources: Arc::clone(&sources),
            rest,
        })
    };
    let Some(tree) = tree else {
        return Err(bad(problems, Vec::new()));
    };
    let examined = examine(&tree);
    problems.extend(examined.problems);
    let decoded = |tree| decode(tree, path.to_path_buf(), Arc::clone(&sources));
    if problems.is_empty() {
        return decoded(tree).map_err(|problem| bad(vec![*problem], Vec::new()));
    }
    let rest = repair(&tree, &examined.fixes).and_then(|(trees, gaps)| {
        let both = trees.into_iter().map(|tree| {
            let mut loaded = decoded(tree).ok()?;
            loaded.gaps = gaps.clone();
            Some(loaded)
        });
        both.collect()
    });
    Err(bad(problems, rest.unwrap_or_default()))
}

/// A validated tree as types.
pub(crate) fn decode(
    tree: Node,
    path: PathBuf,
    sources: Arc<Sources>,
) -> Result<Loaded, Box<Problem>> {
    match serde_json::from_value(tree.to_json()) {
        Ok(playbook) => Ok(Loaded {
            playbook,
            path,
            tree,
            sources,
            gaps: Gaps::default(),
        }),
        Err(error) => {
            let place = tree.key_place_of("name");
            let problem = Problem::new(place, error.to_string(), "in this playbook");
            Err(Box::new(problem))
        }
    }
}
