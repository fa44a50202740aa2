//! Spans of a record that was written by hand.

use std::path::Path;

use serde_json::{Value, json};

use super::{Endpoint, Exported, export};
use crate::record::RecordError;

fn record(folder: &Path) {
    let event = |seq: u64, t_us: u64, source: &str, kind: &str, more: Value| {
        let mut event = json!({"seq": seq, "t_us": t_us, "source": source, "kind": kind});
        let fields = more.as_object().expect("fields").clone();
        event.as_object_mut().expect("an object").extend(fields);
        event
    };
    let attempt = |index: u32, replica: &str, from: u64, to: u64, end: &str| {
        json!({"request": "chat-1", "index": index, "replica": replica, "start_us": from,
            "end_us": to, "from_token": 0, "tokens": 2, "end": end})
    };
    let row = json!({
        "id": "chat-1", "load": "chat", "class": "interactive", "prompt_tokens": 3,
        "output_tokens": 3, "scheduled_us": 1_000_000, "sent_us": 1_000_000,
        "connected_us": null, "headers_us": null, "token_us": [1_100_000, 20_000, 700_000],
        "end_us": 1_900_000, "first_error_us": null, "attempts": 1, "status": 200,
        "served_by": [], "tokens": 3, "finish": "stop", "done": true, "termination": "clean",
        "fate": "resumed", "detail": "",
    });
    let fault = json!({
        "fault": 0, "fault_kind": "sag", "target": "grid", "nodes": [], "ups": [],
        "requested_us": 1_500_000, "injected_us": 1_500_100, "until_us": 2_000_000,
        "requested": {},
    });
    let witness = json!({
        "fault": 0, "witness": "bus meter", "stage": "injected", "effective": true,
        "observed_us": 1_500_200, "measured": {}, "problem": "",
    });
    let head = json!({
        "schema": 1, "run": "r-1", "playbook": "p", "seed": 7, "world": "virtual",
        "started": "2026-01-01T00:00:00Z", "version": "0", "facts": {},
    });
    let state =
        |from: &str, to: &str| json!({"of": "supervisor", "from": from, "to": to, "cause": "c"});
    let events = [
        event(0, 0, "engine", "run", head),
        event(1, 900_000, "supervisor", "state", state("", "utility")),
        event(
            2,
            1_400_000,
            "gw",
            "attempt",
            attempt(0, "gpu-1", 1_010_000, 1_400_000, "eof"),
        ),
        event(3, 1_500_100, "engine", "fault_injected", fault),
        event(4, 1_600_000, "engine", "witness", witness),
        event(
            5,
            1_700_000,
            "supervisor",
            "state",
            state("utility", "on_battery"),
        ),
        event(
            6,
            1_900_000,
            "gw",
            "attempt",
            attempt(1, "gpu-2", 1_450_000, 1_900_000, "completed"),
        ),
        event(7, 1_900_000, "load", "request", row),
        event(8, 2_000_000, "engine", "fault_healed", json!({"fault": 0})),
        event(9, 2_500_000, "engine", "end", json!({"how": "completed"})),
    ];
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    std::fs::write(folder.join("record.jsonl"), lines).expect("a record");
}

fn exported(folder: &Path) -> (Exported, Vec<Value>) {
    let mut messages = Vec::new();
    let exported = export::<RecordError>(&folder.join("record.jsonl"), |message| {
        messages.push(serde_json::from_str(&message).expect("JSON"));
        Ok(())
    });
    (exported.expect("a record"), messages)
}

#[test]
fn requests_attempts_faults_and_states_become_spans() {
    let folder = tempfile::tempdir().expect("a folder");
    record(folder.path());
    let (exported, messages) = self::exported(folder.path());
    let wanted = Exported {
        messages: 1,
        spans: 6,
    };
    assert_eq!(exported, wanted);
    let spans = messages[0]["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
    let spans = spans.expect("spans");
    let named = |name: &str| {
        let found = spans.iter().find(|span| span["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {spans:#?}"))
    };
    let request = named("request chat");
    // 2026-01-01 and a second.
    assert_eq!(request["startTimeUnixNano"], "1767225601000000000");
    assert_eq!(request["endTimeUnixNano"], "1767225601900000000");
    assert_eq!(request["status"]["code"], 1);
    assert_eq!(request["traceId"].as_str().map(str::len), Some(32));
    let events = request["events"].as_array().expect("events");
    let names: Vec<&str> = events.iter().filter_map(|e| e["name"].as_str()).collect();
    assert_eq!(names, ["first token", "gap"]);
    for (name, code) in [("attempt gpu-1", 2), ("attempt gpu-2", 1)] {
        let attempt = named(name);
        assert_eq!(attempt["traceId"], request["traceId"]);
        assert_eq!(attempt["parentSpanId"], request["spanId"]);
        assert_eq!(attempt["status"]["code"], code, "{name}");
    }
    let fault = named("fault sag");
    assert_ne!(fault["traceId"], request["traceId"]);
    assert_eq!(fault["events"][0]["name"], "witness injected (bus meter)");
    assert_eq!(fault["endTimeUnixNano"], "1767225602000000000");
    assert_eq!(
        named("supervisor utility")["endTimeUnixNano"],
        "1767225601700000000"
    );
    assert_eq!(
        named("supervisor on_battery")["endTimeUnixNano"],
        "1767225602500000000"
    );
    let mut ids: Vec<&str> = spans.iter().filter_map(|s| s["spanId"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    assert_eq!(messages, self::exported(folder.path()).1, "the same again");
}

#[test]
fn endpoints_are_plain_http_and_have_a_path() {
    let endpoint = Endpoint::new("http://127.0.0.1:4318").expect("an endpoint");
    assert_eq!(
        endpoint,
        Endpoint::new("http://127.0.0.1:4318/v1/traces").expect("one")
    );
    for bad in [
        "https://a",
        "127.0.0.1:4318",
        "http://",
        "ftp://a/",
        "http://u:p@a/",
        "{}",
    ] {
        assert!(Endpoint::new(bad).is_err(), "{bad}");
    }
}
