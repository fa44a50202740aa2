//! The numbers against events that were written by hand.

use super::Gauges;
use crate::record::Event;

fn take(gauges: &mut Gauges, json: serde_json::Value) {
    let event: Event = serde_json::from_value(json).expect("an event");
    gauges.take(&event);
}

fn event(seq: u64, kind: &str, more: serde_json::Value) -> serde_json::Value {
    let mut event = serde_json::json!({"seq": seq, "t_us": 0, "source": "engine", "kind": kind});
    let fields = more.as_object().expect("fields").clone();
    event.as_object_mut().expect("an object").extend(fields);
    event
}

fn request(id: u32, first_us: u64) -> serde_json::Value {
    event(
        0,
        "request",
        serde_json::json!({
            "id": format!("chat-{id}"), "load": "chat", "class": "interactive",
            "prompt_tokens": 1, "output_tokens": 2, "scheduled_us": 1_000_000,
            "sent_us": 1_000_000, "connected_us": null, "headers_us": null,
            "token_us": [1_000_000 + first_us, 1_000], "end_us": 3_000_000, "first_error_us": null,
            "attempts": 1, "status": 200, "served_by": [], "tokens": 2, "finish": "stop",
            "done": true, "termination": "clean", "fate": "completed", "detail": "",
        }),
    )
}

#[test]
fn every_number_follows_from_the_events() {
    let mut gauges = Gauges::default();
    take(
        &mut gauges,
        event(
            0,
            "phase",
            serde_json::json!({"name": "a \"b\"", "end_us": 9}),
        ),
    );
    for (id, first_us) in [(1, 30_000), (2, 80_000), (3, 40_000_000)] {
        take(&mut gauges, request(id, first_us));
    }
    let fault = serde_json::json!({
        "fault": 4, "fault_kind": "sag", "target": "grid", "nodes": [], "ups": [],
        "requested_us": 0, "injected_us": 0, "until_us": 1, "requested": {},
    });
    take(&mut gauges, event(1, "fault_injected", fault));
    let meters = serde_json::json!({
        "voltage_pu": {"grid": 0.5}, "charge": {"ups-a": 0.75}, "watts": {"gpu-1": 400.0},
    });
    take(&mut gauges, event(2, "meters", meters));
    let text = gauges.text();
    let prefix = "ridethrough_run_";
    for line in [
        "phase{phase=\"a \\\"b\\\"\"} 1",
        "requests_total{load=\"chat\",fate=\"completed\"} 3",
        "tokens_total{load=\"chat\"} 6",
        "time_to_first_token_seconds_bucket{load=\"chat\",le=\"0.025\"} 0",
        "time_to_first_token_seconds_bucket{load=\"chat\",le=\"0.05\"} 1",
        "time_to_first_token_seconds_bucket{load=\"chat\",le=\"0.1\"} 2",
        "time_to_first_token_seconds_bucket{load=\"chat\",le=\"30\"} 2",
        "time_to_first_token_seconds_bucket{load=\"chat\",le=\"+Inf\"} 3",
        "time_to_first_token_seconds_count{load=\"chat\"} 3",
        "faults_active 1",
        "fault_active{fault=\"4\",kind=\"sag\",target=\"grid\"} 1",
        "battery_charge_ratio{ups=\"ups-a\"} 0.75",
        "bus_voltage_ratio{bus=\"grid\"} 0.5",
    ] {
        assert!(
            text.lines().any(|l| l == format!("{prefix}{line}")),
            "{line}\n{text}"
        );
    }
    take(
        &mut gauges,
        event(3, "fault_healed", serde_json::json!({"fault": 4})),
    );
    let text = gauges.text();
    assert!(
        text.contains("faults_active 0") && !text.contains("fault_active{"),
        "{text}"
    );
    assert!(text.contains("faults_injected_total 1"), "{text}");
}
