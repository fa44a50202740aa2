//! The files a playbook is made of, and places in them.

use std::path::Path;
use std::sync::Arc;

/// A stretch of bytes in one of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Which file, by its index in [`Sources`].
    pub(crate) source: usize,
    /// The first byte.
    pub(crate) start: usize,
    /// How many bytes.
    pub(crate) len: usize,
}

impl Place {
    /// From the first byte of this place to the end of the other, within one
    /// file.
    pub(crate) fn to(self, end: usize) -> Self {
        Self {
            len: end.saturating_sub(self.start),
            ..self
        }
    }
}

/// One file: its name as shown to people, and its text.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    /// As shown.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) text: Arc<str>,
}

impl SourceFile {
    /// Line and column of a byte, both from 1; columns count characters.
    pub(crate) fn line_column(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).map_or(0, |rest| rest.chars().count()) + 1;
        (line, column)
    }
}

/// The playbook's file first, then those that it includes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file and says which it is.
    pub(crate) fn add(&mut self, path: &Path, text: &str) -> usize {
        self.files.push(SourceFile {
            name: shown(path),
            text: text.into(),
        });
        self.files.len() - 1
    }

    /// A file by its index.
    pub(crate) fn get(&self, source: usize) -> Option<&SourceFile> {
        self.files.get(source)
    }
}

/// A path as short as it can be shown: relative to where we are, if below.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}
