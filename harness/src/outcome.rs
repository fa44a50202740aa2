//! What a run came to: its record, judged, and the reports of it.

use std::path::{Path, PathBuf};

use quick_junit::TestSuite;

use crate::conduct::{ConductError, promises};
use crate::judge::{Judgement, RunFacts, judge, sentence};
use crate::plan::Plan;
use crate::record::{Event, RecordError, RecordReader};
use crate::report::{Story, Summary, Told, board, document, page, suite, summary};

/// A finished run. Its events are in the record.
pub struct Outcome {
    /// The verdict and what it rests on.
    pub judgement: Judgement,
    /// What `summary.json` holds.
    pub summary: Summary,
    /// What the report shows beside it.
    pub story: Story,
    /// The run's folder.
    pub out: PathBuf,
}

/// Judges a record against the promises of a plan. The record is read as a
/// stream: what is kept of it grows with its requests, not with its events.
pub fn judge_record(record: &Path, plan: &Plan, out: PathBuf) -> Result<Outcome, RecordError> {
    outcome(RecordReader::open(record)?, plan, out)
}

/// As [`judge_record`], of a record that may be damaged: what comes before the
/// first line that cannot be read is judged, and the story says where that is.
pub fn judge_readable(record: &Path, plan: &Plan, out: PathBuf) -> Result<Outcome, RecordError> {
    let (mut begun, mut broken) = (false, None);
    let events = RecordReader::open(record)?.filter_map(|event| match event {
        Err(error @ (RecordError::Line { .. } | RecordError::Seq { .. })) if begun => {
            broken = Some(error.to_string());
            None
        }
        event => {
            begun = true;
            Some(event)
        }
    });
    let mut outcome = outcome(events, plan, out)?;
    if let Some(why) = broken {
        outcome.story.breaks_off(why);
    }
    Ok(outcome)
}

fn outcome(
    events: impl Iterator<Item = Result<Event, RecordError>>,
    plan: &Plan,
    out: PathBuf,
) -> Result<Outcome, RecordError> {
    let mut story = Story::default();
    let told = events.inspect(|event| {
        if let Ok(event) = event {
            story.take(event);
        }
    });
    let facts: RunFacts = told.collect::<Result<_, _>>()?;
    story.settle();
    let judgement = judge(facts, &promises(plan));
    let summary = summary(&judgement);
    Ok(Outcome {
        judgement,
        summary,
        story,
        out,
    })
}

/// Writes `summary.json`, `junit.xml` and `report.html` into the run's folder.
pub fn write_reports(outcome: &Outcome, plan: &Plan, repeat: &str) -> Result<(), ConductError> {
    write_told(&outcome.out, &outcome.told(repeat))?;
    write_page(outcome, plan, repeat, &outcome.out.join("report.html"))
}

/// Writes `summary.json` and `junit.xml`, with all that is known of a run by now.
pub fn write_told(out: &Path, told: &Told) -> Result<(), ConductError> {
    let json = serde_json::to_string_pretty(&told.summary)
        .map_err(|error| ConductError::Record(error.to_string()))?;
    write(&out.join("summary.json"), &(json + "\n"))?;
    write(&out.join("junit.xml"), &junit(vec![suite(told)])?)
}

/// Writes the report as a page.
pub fn write_page(
    outcome: &Outcome,
    plan: &Plan,
    repeat: &str,
    path: &Path,
) -> Result<(), ConductError> {
    write(path, &outcome.page(plan, repeat))
}

fn write(path: &Path, text: &str) -> Result<(), ConductError> {
    std::fs::write(path, text).map_err(|source| ConductError::Folder {
        path: path.to_path_buf(),
        source,
    })
}

/// JUnit XML of several runs.
pub fn junit(suites: Vec<TestSuite>) -> Result<String, ConductError> {
    document(suites).map_err(|error| ConductError::Record(error.to_string()))
}

impl Outcome {
    /// What a person reads at the end.
    pub fn board(&self, color: bool) -> String {
        board(
            &self.judgement,
            &self.summary,
            &self.out.display().to_string(),
            color,
        )
    }

    /// The report: one page, with the command that repeats the run.
    pub fn page(&self, plan: &Plan, repeat: &str) -> String {
        page(&self.judgement, &self.summary, &self.story, plan, repeat)
    }

    /// The run as reports tell it, with the command that repeats it. Far smaller
    /// than the outcome, which holds every request.
    pub fn told(&self, repeat: &str) -> Told {
        Told {
            summary: self.summary.clone(),
            sentence: sentence(&self.judgement),
            repeat: repeat.into(),
            folder: self.out.display().to_string(),
            control: None,
            expected: None,
            places: Vec::new(),
            warnings: Vec::new(),
        }
    }
}
