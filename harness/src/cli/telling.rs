//! What CI systems are told of runs: JUnit, GitHub's summary page and
//! annotations, GitLab's Code Quality report.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use quick_junit::TestSuite;

use super::main::complain;
use crate::outcome::junit;
use crate::report::{Told, annotations, code_quality, markdown, not_run, problem, suite};

/// GitHub drops a step's summary that is larger than 1 MiB, so it is never more.
const SUMMARY_LIMIT: u64 = 1_000_000;

/// Where CI systems look.
#[derive(Debug, Default, Args)]
pub(super) struct TellArgs {
    /// Write JUnit XML of all runs here as well.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Append a summary in Markdown to this file (default: $GITHUB_STEP_SUMMARY,
    /// where it is set).
    #[arg(long, value_name = "FILE")]
    pub(super) step_summary: Option<PathBuf>,
    /// Write broken promises as GitLab's Code Quality report here.
    #[arg(long, value_name = "FILE")]
    pub(super) gitlab_codequality: Option<PathBuf>,
}

/// Tells of runs as they end, so that what is told survives the next one.
pub(super) struct Telling {
    junit: Option<PathBuf>,
    suites: Vec<TestSuite>,
    quality: Option<PathBuf>,
    told: Vec<Told>,
    summary: Option<PathBuf>,
    /// GitHub reads this program's output.
    github: bool,
    /// Stdout is for JSON alone.
    json: bool,
    /// The folder that the CI system checked out.
    root: Option<PathBuf>,
    /// Something could not be written.
    pub(super) failed: bool,
}

impl Telling {
    /// From the options and the CI system's environment.
    pub(super) fn new(args: &TellArgs, json: bool) -> Self {
        let path = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let on_page = || path("GITHUB_STEP_SUMMARY");
        Self {
            junit: args.junit.clone(),
            suites: Vec::new(),
            quality: args.gitlab_codequality.clone(),
            told: Vec::new(),
            summary: args.step_summary.clone().or_else(on_page),
            github: std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            json,
            root: path("GITHUB_WORKSPACE").or_else(|| path("CI_PROJECT_DIR")),
            failed: false,
        }
    }

    /// Tells of one run that is judged.
    pub(super) fn run(&mut self, told: Told) {
        if self.github {
            self.say(&annotations(&told, self.root.as_deref()));
        }
        if let Some(path) = self.summary.clone() {
            self.append(&path, &markdown(&told), &told.title());
        }
        if self.junit.is_some() {
            self.suites.push(suite(&told));
        }
        if self.quality.is_some() {
            self.told.push(told);
        }
    }

    /// Tells of a run that never began, or of which there is no record.
    pub(super) fn not_run(&mut self, title: &str, why: &str, repeat: &str) {
        if self.github {
            self.say(&[problem(None, title, why)]);
        }
        if let Some(path) = self.summary.clone() {
            let text = format!("### ✗ {title}: not run\n\n```text\n{why}\n{repeat}\n```\n\n");
            self.append(&path, &text, title);
        }
        if self.junit.is_some() {
            self.suites.push(not_run(title, why, repeat));
        }
    }

    /// Writes what is one file for all runs; true where everything was written.
    pub(super) fn finish(mut self) -> bool {
        if let Some(path) = self.junit.take() {
            match junit(std::mem::take(&mut self.suites)) {
                Ok(xml) => self.write(&path, &xml),
                Err(error) => self.missed(&error.to_string()),
            }
        }
        if let Some(path) = self.quality.take() {
            let json = code_quality(&self.told, self.root.as_deref());
            self.write(&path, &json);
        }
        !self.failed
    }

    fn say(&self, lines: &[String]) {
        // The runner reads both; a reader that has gone away is no failure.
        for line in lines {
            let _ = if self.json {
                writeln!(std::io::stderr(), "{line}")
            } else {
                writeln!(std::io::stdout(), "{line}")
            };
        }
    }

    fn append(&mut self, path: &Path, text: &str, title: &str) {
        let held = fs::metadata(path).map_or(0, |file| file.len());
        let short = format!("### {title}\n\nThe summary is full; the run folder has all.\n");
        let room = SUMMARY_LIMIT.saturating_sub(held);
        let text = match text.len() as u64 <= room {
            true => text,
            false if short.len() as u64 <= room => &short,
            false => return,
        };
        let file = OpenOptions::new().append(true).create(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            self.missed(&format!("{}: {error}", path.display()));
        }
    }

    fn write(&mut self, path: &Path, text: &str) {
        if let Err(error) = fs::write(path, text) {
            self.missed(&format!("{}: {error}", path.display()));
        }
    }

    fn missed(&mut self, message: &str) {
        complain(message);
        self.failed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telling(summary: PathBuf) -> Telling {
        let args = TellArgs {
            step_summary: Some(summary),
            ..TellArgs::default()
        };
        Telling::new(&args, true)
    }

    #[test]
    fn a_summary_never_grows_beyond_what_is_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("summary.md");
        let mut telling = telling(path.clone());
        let long = "x".repeat(700_000);
        telling.append(&path, &long, "first");
        telling.append(&path, &long, "second");
        telling.append(&path, "little", "third");
        let text = fs::read_to_string(&path).expect("a summary");
        assert!(text.len() < SUMMARY_LIMIT as usize);
        assert!(text.contains("### second\n\nThe summary is full"));
        assert!(text.ends_with("little") && !telling.failed);
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let mut telling = telling(PathBuf::from("/nonexistent/summary.md"));
        telling.append(Path::new("/nonexistent/summary.md"), "x", "t");
        assert!(telling.failed);
    }
}
