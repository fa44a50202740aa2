//! JUnit XML, as CI systems read it.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::summary::Summary;
use crate::judge::{Judged, Verdict};

/// One run as a test suite: one case per assertion. A broken promise is a
/// failure; an experiment that did not hold is an error, and adds a case of its
/// own that says why. `repeat` is the command that runs it again.
pub fn suite(summary: &Summary, invalid: &[String], repeat: &str) -> TestSuite {
    let mut suite = TestSuite::new(&*summary.playbook);
    suite.set_time(seconds(summary.duration_s));
    suite.add_property(("run", &*summary.run));
    suite.add_property(("seed", &*summary.seed.to_string()));
    suite.add_property(("world", &*summary.world));
    if let Some(by) = summary.judged_by() {
        suite.add_property(("oracle", &*by));
    }
    for (index, judged) in summary.assertions.iter().enumerate() {
        suite.add_test_case(case(summary, index, judged, repeat));
    }
    if summary.verdict == Verdict::Invalid {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        let first = invalid
            .first()
            .map_or("the experiment did not hold", |why| &**why);
        status.set_message(first).set_type("invalid");
        let reasons: Vec<String> = invalid.iter().map(|why| format!("- {why}")).collect();
        let text = format!(
            "the experiment did not hold, so its verdict is invalid:\n{}\nto repeat: {repeat}",
            reasons.join("\n")
        );
        status.set_description(text);
        let mut case = TestCase::new("the experiment held", status);
        case.set_classname(&*summary.playbook);
        suite.add_test_case(case);
    }
    suite
}

fn case(summary: &Summary, index: usize, judged: &Judged, repeat: &str) -> TestCase {
    let kind = match judged.verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some(NonSuccessKind::Failure),
        Verdict::Invalid => Some(NonSuccessKind::Error),
    };
    let text = describe(judged, repeat);
    let status = match kind {
        None => TestCaseStatus::success(),
        Some(kind) => {
            let mut status = TestCaseStatus::non_success(kind);
            let message = format!("observed {}; asked {}", judged.observed, judged.limit);
            status.set_message(message).set_type(&*judged.kind);
            status.set_description(&*text);
            status
        }
    };
    // The number keeps two assertions with the same text apart.
    let name = format!("{}. {}", index + 1, judged.text);
    let mut case = TestCase::new(name, status);
    case.set_classname(&*summary.playbook);
    if kind.is_none() {
        case.set_system_out(text);
    }
    case
}

fn describe(judged: &Judged, repeat: &str) -> String {
    let mut lines = vec![
        format!("asked: {}", judged.limit),
        format!("observed: {}", judged.observed),
    ];
    if let Some(margin) = &judged.margin {
        lines.push(format!("margin: {} {}", margin.value, margin.unit));
    }
    if !judged.evidence.is_empty() {
        lines.push(format!("evidence: {}", judged.evidence.join(", ")));
    }
    lines.push(format!("to repeat: {repeat}"));
    lines.join("\n")
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
