//! The parts of the page that are whole without scripts.

use std::path::Path;

use super::{Story, page};
use crate::judge::testkit::Record;
use crate::judge::{Judgement, RunFacts, judge};
use crate::plan::{Plan, plan};
use crate::playbook::load_playbook;
use crate::record::{Body, Event};
use crate::report::summary;

fn planned() -> Plan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks");
    let loaded = load_playbook(&root.join("power/utility-outage.yaml")).expect("a playbook");
    plan(&loaded).expect("a plan")
}

fn promises(plan: &Plan) -> Judged {
    let all = plan.assertions.iter();
    all.map(|a| (a.text.clone(), a.assertion.clone())).collect()
}

type Judged = Vec<(String, crate::playbook::Assertion)>;

fn told(events: Vec<Event>, plan: &Plan) -> (Judgement, Story) {
    let mut story = Story::default();
    events.iter().for_each(|event| story.take(event));
    story.settle();
    (judge(RunFacts::of(events), &promises(plan)), story)
}

fn shown(events: Vec<Event>, plan: &Plan) -> String {
    let (judgement, story) = told(events, plan);
    let repeat = "ridethrough run outage.yaml --seed 7";
    page(&judgement, &summary(&judgement), &story, plan, repeat)
}

/// What a reader without scripts, or a printer, gets.
fn body(page: &str) -> &str {
    let body = page.split("<body>").nth(1).unwrap_or_default();
    body.split("<script").next().unwrap_or_default()
}

#[test]
fn text_of_a_pass() {
    insta::assert_snapshot!(body(&shown(Record::outage().events(), &planned())));
}

#[test]
fn text_of_a_fail() {
    let record = Record::loss().with(|r| {
        r.tear("chat-21");
        r.lose("chat-23");
    });
    insta::assert_snapshot!(body(&shown(record.events(), &planned())));
}

#[test]
fn a_record_without_an_end_is_marked() {
    let record = Record::outage().drop(|body| matches!(body, Body::End { .. }));
    let page = shown(record.events(), &planned());
    assert!(page.contains("This record breaks off."), "{}", body(&page));
    assert!(!shown(Record::outage().events(), &planned()).contains("This record breaks off."));
}

#[test]
fn the_same_record_gives_the_same_page() {
    let plan = planned();
    let page = || shown(Record::loss().events(), &plan);
    assert_eq!(page(), page());
}

#[test]
fn what_others_wrote_stays_text() {
    let hostile = "</script><script>alert(1)</script><!-- \u{2028} <img src=x onerror=y>\"'";
    let mut plan = planned();
    plan.playbook.name = hostile.into();
    plan.playbook.why = Some(hostile.into());
    let mut record = Record::loss();
    record.tear("chat-21");
    record.edit("chat-21", |row| {
        row.detail = hostile.into();
        row.load = hostile.into();
    });
    record.state(20_000_000, "supervisor", hostile);
    let mut events = record.events();
    if let Body::Run(header) = &mut events[0].body {
        header.playbook = hostile.into();
        header.world = hostile.into();
    }
    let page = shown(events, &plan);
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains("<img"));
    assert!(!page.contains('\u{2028}'));
    // One for the data and one for our own scripts, and no comment.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<!--"));
}

/// Nothing is fetched: no address of another machine, no file beside it.
#[test]
fn the_page_needs_nothing_else() {
    let page = shown(Record::outage().events(), &planned());
    for word in ["src=", "href=", "@import", "url(", "fetch(", "import("] {
        assert!(!page.contains(word), "{word}");
    }
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("://"));
}
