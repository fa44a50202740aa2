use std::io::Write;

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::json;

use ridethrough_targets::plant::{BatteryState, Change, UpsState};
use ridethrough_targets::service::{Attempt, AttemptEnd};
use ridethrough_targets::telemetry::{DeviceCommand, ReadingStatus, UpsReading};
use ridethrough_targets::units::Span;

use super::*;
use crate::load::{Dialect, Differing, Fate, LedgerRow, RecordedAnswer, Rehearsed, Termination};

fn header() -> RunHeader {
    RunHeader {
        schema: SCHEMA,
        run: "run-1".into(),
        playbook: "p".into(),
        seed: u64::MAX,
        world: "virtual".into(),
        started: "2026-01-02T03:04:05Z".into(),
        version: "0.1.0".into(),
        facts: [
            ("cpus".to_string(), json!(2)),
            ("root".to_string(), json!(false)),
        ]
        .into(),
    }
}

fn row() -> LedgerRow {
    LedgerRow {
        id: "chat-1".into(),
        load: "chat".into(),
        class: "interactive".into(),
        prompt_tokens: 1,
        output_tokens: 2,
        scheduled_us: 1,
        sent_us: 2,
        connected_us: None,
        headers_us: Some(4),
        token_us: vec![5, 1].into(),
        end_us: 7,
        first_error_us: None,
        attempts: 1,
        status: Some(200),
        served_by: vec![("gpu-1".into(), 0)],
        tokens: 2,
        finish: Some("stop".into()),
        done: true,
        termination: Termination::Clean,
        fate: Fate::Completed,
        detail: "a \"quoted\" line\nand another, 50 µs".into(),
    }
}

fn changes() -> Vec<Change> {
    let source = "ups-a battery".to_string();
    vec![
        Change::Supply {
            voltage_pu: 0.1 + 0.2,
            frequency_hz: 49.97,
        },
        Change::Bus {
            voltage_pu: 1.0,
            source,
        },
        Change::Ups {
            from: UpsState::Normal,
            to: UpsState::WalkIn,
        },
        Change::Battery {
            from: BatteryState::Idle,
            to: BatteryState::Open,
            charge: 1.0 / 3.0,
        },
        Change::LowBattery {
            low: true,
            charge: 0.2,
            runtime_s: 1e-9,
        },
        Change::Breaker { closed: false },
        Change::HoldUp {
            active: true,
            left: Span::from_millis(20),
        },
        Change::NodePower { on: false },
        Change::Brake { clocks: 0.5 },
    ]
}

fn telemetry() -> Vec<Body> {
    let reading = UpsReading {
        t_us: 3,
        status: ReadingStatus::OnBattery,
        input_v: 0.0,
        input_nominal_v: 230.0,
        input_hz: 50.0,
        output_v: 229.9,
        output_w: 1e4,
        rating_w: 2e4,
        charge: 0.98,
        runtime_s: 311.7,
        charging: false,
        low_battery: false,
        replace_battery: true,
        transfer_reason: "input voltage out of range".into(),
        ..UpsReading::default()
    };
    let attempt = Attempt {
        request: "chat-1".into(),
        index: 1,
        replica: "gpu-1".into(),
        start_us: 1,
        end_us: 2,
        from_token: 3,
        tokens: 4,
        end: AttemptEnd::Evicted,
    };
    let some: IndexMap<String, f64> = [("ups-a".to_string(), 0.1 + 0.7)].into();
    vec![
        Body::Meters {
            voltage_pu: some.clone(),
            charge: some.clone(),
            watts: IndexMap::new(),
        },
        Body::UpsReading {
            ups: "ups-a".into(),
            reading,
        },
        Body::State {
            of: "supervisor".into(),
            from: "utility".into(),
            to: "on_battery".into(),
            cause: "OB".into(),
        },
        Body::Observed {
            via: "nut".into(),
            device: "ups-a".into(),
            variable: "ups.status".into(),
            value: "OB DISCHRG".into(),
        },
        Body::Attempt(attempt),
        Body::Progress { values: some },
    ]
}

fn machines() -> Vec<Body> {
    let (node, service) = ("gpu-1".to_string(), "replica".to_string());
    vec![
        Body::NodeBoot {
            node: node.clone(),
            boot: 1,
        },
        Body::NodeUp { node: node.clone() },
        Body::NodeDown {
            node: node.clone(),
            dark_us: 1,
            dead_us: 2,
            leaked: 0,
            lost: Vec::new(),
        },
        Body::ServiceReady {
            node: node.clone(),
            service: service.clone(),
        },
        Body::ServiceExited {
            node,
            service,
            how: "signal 9".into(),
            tail: String::new(),
        },
    ]
}

fn faults() -> Vec<Body> {
    let values: IndexMap<String, serde_json::Value> = [("to".to_string(), json!("0%"))].into();
    vec![
        Body::FaultInjected(FaultReceipt {
            fault: 0,
            fault_kind: "sag".into(),
            target: "grid".into(),
            nodes: vec!["gpu-1".into()],
            ups: vec![],
            requested_us: 1,
            injected_us: 2,
            until_us: 3,
            requested: values.clone(),
        }),
        Body::FaultHealed { fault: 0 },
        Body::Witness(WitnessReport {
            fault: 0,
            witness: "bus meter".into(),
            stage: "injected".into(),
            effective: true,
            observed_us: None,
            measured: values,
            problem: String::new(),
        }),
    ]
}

/// One of every kind.
fn bodies() -> Vec<Body> {
    let text = || "a text".to_string();
    let mut all = vec![
        Body::Run(header()),
        Body::Phase(PhaseWindow {
            name: "baseline".into(),
            end_us: 5,
        }),
    ];
    all.extend(changes().into_iter().map(|change| Body::Plant {
        component: "pdu-a".into(),
        cause: text(),
        change,
    }));
    all.extend(telemetry());
    all.extend(machines());
    all.extend(faults());
    all.extend([
        Body::Request(row()),
        Body::LoadDone {
            load: "chat".into(),
            planned: 1,
            sent: 1,
            lag_p99_us: 9,
        },
        Body::Order {
            device: text(),
            command: DeviceCommand::Outlet { index: 3, on: true },
            refused: Some(text()),
        },
        Body::Rehearsal(Rehearsed {
            load: "chat".into(),
            prompts: 1,
            took_us: 5,
            in_flight_max: 2,
            answers: vec![RecordedAnswer {
                text: text(),
                pieces: 2,
                finish: Some("stop".into()),
                usage: Some(2),
            }],
            differing: vec![Differing {
                prompt: 0,
                character: 3,
            }],
            dialect: Some(Dialect::OPENAI),
            problem: Some(text()),
        }),
        Body::Oracle(OracleReport {
            load: "chat".into(),
            oracle: "recorded".into(),
            why: text(),
        }),
        Body::Note { text: text() },
        Body::Invalid { reason: text() },
        Body::End {
            how: "completed".into(),
        },
    ]);
    all
}

#[test]
fn every_event_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.jsonl");
    let mut writer = RecordWriter::create(&path).expect("a record");
    let mut written = Vec::new();
    for (n, body) in bodies().into_iter().enumerate() {
        let event = writer
            .write(n as u64 * 10, "engine", body)
            .expect("written");
        assert_eq!(event.seq, n as u64);
        written.push(event);
    }
    assert_eq!(read_record(&path).expect("a record"), written);
    // The end was synced; nothing waits in the writer.
    let text = std::fs::read_to_string(&path).expect("text");
    assert_eq!(text.lines().count(), written.len());
    for line in text.lines() {
        assert_eq!(line.matches("\"seq\":").count(), 1, "{line}");
        assert!(line.starts_with("{\"seq\":"), "{line}");
    }
    assert!(
        RecordWriter::create(&path).is_err(),
        "a record is never written over"
    );
}

#[test]
fn endless_runtime_can_be_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.jsonl");
    let mut writer = RecordWriter::create(&path).expect("a record");
    let first = writer
        .write(0, "engine", Body::Run(header()))
        .expect("written");
    let change = Change::LowBattery {
        low: false,
        charge: 1.0,
        runtime_s: f64::INFINITY,
    };
    let body = Body::Plant {
        component: "ups-a".into(),
        cause: "no load".into(),
        change,
    };
    let second = writer.write(1, "plant", body).expect("written");
    writer.sync().expect("synced");
    assert_eq!(read_record(&path).expect("a record"), [first, second]);
}

fn lines(lines: &[&str]) -> Result<Vec<Event>, RecordError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.jsonl");
    std::fs::write(&path, lines.concat()).expect("written");
    read_record(&path)
}

fn first() -> String {
    let event = Event {
        seq: 0,
        t_us: 0,
        source: "engine".into(),
        body: Body::Run(header()),
    };
    serde_json::to_string(&event).expect("json") + "\n"
}

const NOTE: &str = r#"{"seq":1,"t_us":5,"source":"engine","kind":"note","text":"x"}"#;

#[test]
fn a_torn_last_line_is_left_out_and_noted() {
    let events = lines(&[&first(), NOTE, "\n", &NOTE[..20]]).expect("a record");
    assert_eq!(events.len(), 3);
    assert_eq!((events[2].seq, events[2].t_us), (2, 5));
    let Body::Invalid { reason } = &events[2].body else {
        panic!("it is not said: {:?}", events[2]);
    };
    assert_eq!(
        reason,
        "the record is torn: line 3, the last one, was left out"
    );
    let whole = lines(&[&first(), NOTE]).expect("a last line without its newline");
    assert_eq!(whole.len(), 2);
}

#[test]
fn errors_name_the_line() {
    let text = |result: Result<Vec<Event>, RecordError>| match result {
        Ok(events) => panic!("read {} events", events.len()),
        Err(error) => error.to_string(),
    };
    let broken = text(lines(&[&first(), "{\"seq\":1}\n", NOTE, "\n"]));
    assert!(
        broken.starts_with("line 2 of the record is no event"),
        "{broken}"
    );
    let gap = text(lines(&[&first(), NOTE, "\n", NOTE, "\n"]));
    assert_eq!(gap, "line 3 of the record has seq 1; expected 2");
    assert!(text(lines(&[])).contains("holds no event"));
    assert!(text(lines(&[NOTE, "\n"])).contains("no run header, but `note`"));
    let newer = first().replace("\"schema\":1", "\"schema\":2");
    let newer = text(lines(&[&newer]));
    assert_eq!(
        newer,
        "the record has schema 2 (ridethrough 0.1.0); this ridethrough reads schemas up to 1"
    );
    assert!(text(read_record("/nonexistent/record.jsonl")).contains("/nonexistent/record.jsonl"));
}

proptest! {
    /// Every finite number comes back bit for bit.
    #[test]
    fn numbers_come_back_exactly(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
        let event = Event {
            seq: 1,
            t_us: u64::MAX,
            source: "plant".into(),
            body: Body::Plant {
                component: "ups-a".into(),
                cause: "x".into(),
                change: Change::Brake { clocks: value },
            },
        };
        let text = serde_json::to_string(&event).expect("json");
        prop_assert_eq!(serde_json::from_str::<Event>(&text).expect("event"), event);
    }

    #[test]
    fn reading_never_panics(text in ".{0,200}") {
        let _ = lines(&[&first(), &text]);
        let _ = lines(&[&text]);
    }
}

/// A record of a thousand notes, plain and compressed.
fn packed() -> (String, Vec<u8>) {
    let note = |n: u64| NOTE.replace("\"seq\":1", &format!("\"seq\":{n}")) + "\n";
    let text = first() + &(1..1000).map(note).collect::<String>();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).expect("packed");
    (text, packer.finish().expect("packed"))
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<Event>, RecordError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(PACKED);
    std::fs::write(&path, bytes).expect("written");
    assert_eq!(record_of(folder.path()), path);
    read_record(&path)
}

#[test]
fn a_compressed_record_is_the_record() {
    let (text, packed) = packed();
    let plain = lines(&[&text]).expect("a record");
    assert_eq!(read_bytes(&packed).expect("a record"), plain);
}

/// Wherever a compressed record breaks off, what is before is there, and it is
/// said that there was more.
#[test]
fn a_torn_compressed_record_is_read_as_far_as_it_goes() {
    let (text, packed) = packed();
    let whole = lines(&[&text]).expect("a record");
    let mut most = 0;
    for cut in (20..packed.len()).step_by(7) {
        match read_bytes(&packed[..cut]) {
            Ok(events) => {
                let (last, before) = events.split_last().expect("events");
                assert_eq!(before, &whole[..before.len()], "cut at {cut}");
                let Body::Invalid { reason } = &last.body else {
                    panic!("cut at {cut} is not said: {last:?}");
                };
                assert!(reason.contains("torn"), "{reason}");
                most = most.max(before.len());
            }
            Err(error) => assert!(cut < 600, "cut at {cut}: {error}"),
        }
    }
    assert!(most > 900, "only {most} events");
    let mut bad = packed.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 0xff;
    assert!(read_bytes(&bad).is_err(), "what is damaged is no record");
}
