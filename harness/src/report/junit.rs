//! JUnit XML, as CI systems read it: who sees nothing else must understand what
//! failed, and be able to repeat it.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::told::Told;
use crate::judge::{Judged, Verdict};

/// One run as a test suite: one case per assertion. A broken promise is a
/// failure; an experiment that did not hold is an error, and adds a case of its
/// own that says why. A run that must come to something else than a pass is one
/// case: whether it did.
pub fn suite(told: &Told) -> TestSuite {
    let summary = &told.summary;
    let mut suite = TestSuite::new(told.title());
    suite.set_time(seconds(summary.duration_s));
    suite.add_property(("run", &*summary.run));
    suite.add_property(("seed", &*summary.seed.to_string()));
    suite.add_property(("world", &*summary.world));
    suite.add_property(("verdict", &*summary.verdict.to_string()));
    if let Some(by) = summary.judged_by() {
        suite.add_property(("oracle", &*by));
    }
    if let Some(again) = &summary.again {
        suite.add_property(("run again", &*again.sentence()));
    }
    if told.expected.is_some() {
        suite.add_test_case(expected(told));
    } else {
        for (index, judged) in summary.assertions.iter().enumerate() {
            suite.add_test_case(case(told, index, judged));
        }
        if summary.verdict == Verdict::Invalid {
            suite.add_test_case(invalid(told));
        }
    }
    let mut whole = vec![told.sentence.clone()];
    whole.extend(told.warnings.iter().map(|w| format!("warning: {w}")));
    whole.extend(told.about());
    suite.set_system_out(whole.join("\n"));
    suite
}

/// A run that never began, or of which there is no record.
pub fn not_run(title: &str, why: &str, repeat: &str) -> TestSuite {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(why).set_type("not run");
    status.set_description(format!("{why}\nto repeat: {repeat}"));
    let mut case = TestCase::new("the run began", status);
    case.set_classname(title);
    let mut suite = TestSuite::new(title);
    suite.add_test_case(case);
    suite
}

/// Why an experiment says nothing.
fn invalid(told: &Told) -> TestCase {
    let all = &told.summary.invalid;
    let first = all
        .first()
        .map_or("the experiment did not hold", |why| &**why);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(first).set_type("invalid");
    let mut text = vec!["the experiment did not hold, so its verdict is invalid".to_string()];
    text.extend(told.about());
    status.set_description(text.join("\n"));
    place(told, 0, TestCase::new("the experiment held", status))
}

/// Whether a control or a canary came to what it must.
fn expected(told: &Told) -> TestCase {
    let name = told.expected.as_ref().map_or(String::new(), |e| e.words());
    let mut text = vec![told.sentence.clone()];
    for judged in &told.summary.assertions {
        text.push(format!("{}: {}", judged.text, judged.verdict));
        let lines = told.lines(judged);
        text.extend(lines.iter().map(|line| format!("  {line}")));
    }
    text.extend(told.about());
    let text = text.join("\n");
    match told.good() {
        Ok(()) => {
            let mut case = TestCase::new(name, TestCaseStatus::success());
            case.set_system_out(text);
            place(told, 0, case)
        }
        Err(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why).set_type("expected");
            status.set_description(text);
            place(told, 0, TestCase::new(name, status))
        }
    }
}

fn case(told: &Told, index: usize, judged: &Judged) -> TestCase {
    let kind = match judged.verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some(NonSuccessKind::Failure),
        Verdict::Invalid => Some(NonSuccessKind::Error),
    };
    let mut lines = told.lines(judged);
    let status = match kind {
        None => TestCaseStatus::success(),
        Some(kind) => {
            lines.extend(told.about());
            let mut status = TestCaseStatus::non_success(kind);
            let message = format!("observed {}; asked {}", judged.observed, judged.limit);
            status.set_message(message).set_type(&*judged.kind);
            status.set_description(lines.join("\n"));
            status
        }
    };
    // The number keeps two assertions with the same text apart.
    let name = format!("{}. {}", index + 1, judged.text);
    let mut case = TestCase::new(name, status);
    if kind.is_none() {
        case.set_system_out(lines.join("\n"));
    }
    place(told, index, case)
}

/// A case with the place of the promise, which some CI systems link to.
fn place(told: &Told, index: usize, mut case: TestCase) -> TestCase {
    case.set_classname(told.title());
    if let Some(spot) = told.places.get(index) {
        let file = spot.file.display().to_string();
        case.extra.insert("file".into(), file.into());
        case.extra
            .insert("line".into(), spot.line.to_string().into());
    }
    case
}

/// The XML of one or several runs. The error is the writer's own.
pub fn document(suites: Vec<TestSuite>) -> Result<String, SerializeError> {
    let mut report = Report::new("ridethrough");
    let time: Duration = suites.iter().filter_map(|s| s.time).sum();
    report.set_time(time);
    report.add_test_suites(suites);
    report.to_string()
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
