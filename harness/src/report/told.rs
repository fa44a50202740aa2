//! A judged run with all that a report needs to tell of it.

use std::path::{Component, Path, PathBuf};

use super::expectation::Expectation;
use super::summary::Summary;
use super::tables::amount;
use crate::judge::{Judged, Verdict};

/// A line of a file, as people are sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl Spot {
    /// The file below the folder that a CI system checked out, with `/`.
    pub(super) fn below(&self, root: Option<&Path>) -> String {
        let whole = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        // `../` is resolved by name: a CI system compares names.
        let mut plain = PathBuf::new();
        for part in whole.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                part => plain.push(part),
            }
        }
        let short = root.and_then(|root| plain.strip_prefix(root).ok());
        let shown = short.unwrap_or(&self.file).display().to_string();
        shown.replace('\\', "/")
    }
}

/// A judged run, small enough to be kept when its events are gone.
#[derive(Clone, Debug)]
pub struct Told {
    /// What `summary.json` holds.
    pub summary: Summary,
    /// The verdict in plain words.
    pub sentence: String,
    /// The command that repeats it.
    pub repeat: String,
    /// The run's folder.
    pub folder: String,
    /// The control that it is.
    pub control: Option<String>,
    /// What it must come to, where that is not simply a pass.
    pub expected: Option<Expectation>,
    /// Where the promises were written; empty where nobody knows.
    pub places: Vec<Spot>,
    /// Margins that shrink.
    pub warnings: Vec<String>,
}

impl Told {
    /// The playbook's name, with the control's.
    pub fn title(&self) -> String {
        match &self.control {
            Some(control) => format!("{}: {control}", self.summary.playbook),
            None => self.summary.playbook.clone(),
        }
    }

    /// Whether somebody has to look at it; the reason, where it was expected to
    /// come to something else.
    pub fn good(&self) -> Result<(), String> {
        match &self.expected {
            Some(expected) => {
                let met = expected.met(&self.summary);
                met.map_err(|came| format!("it {}, but {came}", expected.words()))
            }
            None if self.summary.verdict == Verdict::Pass => Ok(()),
            None => Err(self.sentence.clone()),
        }
    }

    /// Promises that did not hold, or of which nothing is known, with their
    /// places. None where that is what was expected.
    pub(super) fn broken(&self) -> impl Iterator<Item = (usize, &Judged)> {
        let all = self.summary.assertions.iter().enumerate();
        all.filter(|(_, judged)| self.expected.is_none() && judged.verdict != Verdict::Pass)
    }

    /// Everything about one promise, a line each.
    pub(super) fn lines(&self, judged: &Judged) -> Vec<String> {
        let mut lines = vec![
            format!("asked: {}", judged.limit),
            format!("observed: {}", judged.observed),
        ];
        if let Some(margin) = &judged.margin {
            let short = if margin.value < 0.0 {
                " (beyond the limit)"
            } else {
                ""
            };
            let margin = amount(margin.value, &margin.unit);
            lines.push(format!("margin: {margin}{short}"));
        }
        if !judged.evidence.is_empty() {
            lines.push(format!("evidence: {}", judged.evidence.join(", ")));
        }
        lines
    }

    /// What is told of every run, a line each: faults, requests, reasons, how to
    /// repeat it.
    pub(super) fn about(&self) -> Vec<String> {
        let summary = &self.summary;
        let mut lines = Vec::new();
        for why in &summary.invalid {
            lines.push(format!("invalid because: {why}"));
        }
        if let Some(again) = &summary.again {
            lines.push(format!("run again: {}", again.sentence()));
        }
        for fault in &summary.faults {
            let seen = match (&*fault.witness, fault.effective) {
                ("", _) => "no witness".into(),
                (witness, true) => format!("witnessed by {witness}"),
                (witness, false) => format!("{witness} could not show it"),
            };
            lines.push(format!("fault: {} of {}, {seen}", fault.kind, fault.target));
        }
        lines.push(format!("run: {}", self.folder));
        lines.push(format!("to repeat: {}", self.repeat));
        lines
    }
}
