use serde_json::json;

use super::*;
use crate::judge::Verdict;
use crate::judge::testkit::Record;
use crate::report::{Summary, summary};

fn good() -> Summary {
    let promises = [
        json!({"failover": {"to": "battery", "within": "10ms"}}),
        json!({"continuity": {"lost": 0, "torn": 0}}),
        json!({"latency": {"of": "ttft", "p99": "800ms"}}),
    ];
    summary(&Record::outage().judge(&promises))
}

/// A copy that differs in one thing only.
fn but(change: impl FnOnce(&mut Summary)) -> Summary {
    let mut other = good();
    change(&mut other);
    other
}

fn worse(b: &Summary) -> Vec<String> {
    compare(&good(), b, 0.1).worse
}

fn margin(by: f64) -> Summary {
    but(|s| {
        if let Some(margin) = &mut s.assertions[2].margin {
            margin.value += by;
        }
    })
}

#[test]
fn a_run_is_as_good_as_itself() {
    assert!(worse(&good()).is_empty());
}

#[test]
fn each_thing_that_can_get_worse_does() {
    let failed = but(|s| s.verdict = Verdict::Fail);
    assert_eq!(worse(&failed), ["the verdict: pass to fail"]);
    let broken = but(|s| s.assertions[1].verdict = Verdict::Fail);
    assert_eq!(worse(&broken).len(), 1);
    let gone = but(|s| drop(s.assertions.remove(0)));
    assert!(worse(&gone)[0].contains("failover"), "{:?}", worse(&gone));
    let lost = but(|s| s.requests.lost = 1);
    assert_eq!(worse(&lost), ["lost"]);
    let slow = but(|s| s.latency.ttft_ms.p99 = s.latency.ttft_ms.p99.map(|ms| ms * 1.2));
    assert_eq!(worse(&slow), ["ttft p99"]);
    let silent = but(|s| s.latency.e2e_ms.max = None);
    assert_eq!(worse(&silent), ["end to end max"]);
}

/// Both the share and the noise of instruments must be exceeded.
#[test]
fn what_is_within_the_threshold_is_no_news() {
    let room = good().assertions[2].margin.clone().expect("a margin").value;
    assert!(worse(&margin(-0.09 * room)).is_empty());
    assert_eq!(worse(&margin(-0.11 * room)).len(), 1);
    assert!(worse(&margin(room)).is_empty(), "more room is not worse");
    let noise = but(|s| s.latency.itl_ms.p50 = s.latency.itl_ms.p50.map(|ms| ms + 0.9));
    assert!(compare(&good(), &noise, 0.0).worse.is_empty());
    let skew = but(|s| s.skew_ms.max = Some(1e6));
    assert!(worse(&skew).is_empty(), "of the experiment, not the stack");
}

#[test]
fn what_can_hardly_be_compared_is_noted() {
    let other = but(|s| s.seed += 1);
    assert_eq!(compare(&good(), &other, 0.1).notes, ["two seeds: 7 and 8"]);
}

#[test]
fn two_runs_side_by_side() {
    let b = but(|s| {
        s.verdict = Verdict::Fail;
        s.assertions[1].verdict = Verdict::Fail;
        s.assertions[0].margin = None;
        s.requests.torn = 3;
        s.latency.ttft_ms.p99 = Some(250.0);
    });
    let text = side_by_side(&compare(&good(), &b, 0.1));
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    insta::assert_snapshot!(text);
}
