//! What people read.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use super::check::check;
use super::list::{list_assertions, list_faults, list_playbooks};
use super::plan::{plan_json, plan_text};
use super::schema::schema_json;
use crate::plan::{plan, plan_source};
use crate::playbook::tests::{GOOD, good, good_text};

#[test]
fn a_good_playbook_is_one_line() {
    assert_snapshot!(
        check(Path::new(GOOD), None, false).text,
        @"tests/data/playbooks/utility-outage.yaml: ok (35s, 4 machines, 3 faults, 5 promises, 1 control)"
    );
}

#[test]
fn a_bad_playbook_is_its_errors() {
    let checked = check(Path::new("tests/data/sites/two-feed.yaml"), None, false);
    assert!(!checked.good);
    assert!(checked.text.contains("this is a site, not a playbook"));
}

#[test]
fn a_plan_is_a_timeline() {
    assert_snapshot!(plan_text(&plan(&good()).expect("a plan")));
}

#[test]
fn a_plan_says_what_should_survive() {
    let text = good_text().replace("power_loss: {rack: r2}", "power_loss: {pdu: pdu-b}");
    let (_, plan) = plan_source(Path::new(GOOD), &text).expect("a plan");
    let text = plan_text(&plan);
    let (_, after) = text.split_once("PDU pdu-b").expect("the fault");
    let lines: Vec<_> = after.lines().skip(1).take(3).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "PDUs      pdu-b",
            "machines  gpu-3",
            "one cord  gw, gpu-1, gpu-2 (should live on the other)",
        ]
    );
}

#[test]
fn a_plan_is_json() {
    let plan = plan(&good()).expect("a plan");
    let json: serde_json::Value = serde_json::from_str(&plan_json(&plan)).expect("json");
    assert_eq!(json["total"], "35s");
    assert_eq!(json["nodes"][0]["ip"], "10.77.1.1");
    assert_eq!(
        json["faults"][1]["reach"]["nodes"],
        serde_json::json!(["gpu-3"])
    );
}

#[test]
fn the_vocabulary() {
    assert_snapshot!(list_faults());
    assert_snapshot!(list_assertions());
}

#[test]
fn playbooks_are_found_and_sites_are_not() {
    assert_snapshot!(list_playbooks(&[PathBuf::from("tests/data")]));
    assert_eq!(
        list_playbooks(&[PathBuf::from("tests/nothing")]),
        "no playbooks below tests/nothing\n"
    );
}

#[test]
fn the_schema_lets_site_and_stack_name_a_file() {
    let schema: serde_json::Value = serde_json::from_str(&schema_json()).expect("json");
    for key in ["site", "stack"] {
        let any = &schema["properties"][key]["anyOf"];
        assert_eq!(any[0]["type"], "string");
        assert!(
            any[1]["$ref"]
                .as_str()
                .is_some_and(|r| r.starts_with("#/$defs/S"))
        );
    }
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}
