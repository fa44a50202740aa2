//! An event of every kind.

use indexmap::IndexMap;
use serde_json::json;

use ridethrough_targets::plant::{BatteryState, Change, UpsState};
use ridethrough_targets::service::{Attempt, AttemptEnd};
use ridethrough_targets::telemetry::{DeviceCommand, ReadingStatus, UpsReading};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Probing, Watch};

use super::super::*;
use crate::load::{Dialect, Differing, Fate, LedgerRow, RecordedAnswer, Rehearsed, Termination};

pub(super) fn header() -> RunHeader {
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
pub(super) fn bodies() -> Vec<Body> {
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
        Body::Sockets(SocketReport {
            cause: "power cut".into(),
            fault: None,
            since_us: 7,
            node: "edge-1".into(),
            peer: "gpu-2".into(),
            count: 4,
            watch: Watch {
                keepalive: Some(Probing {
                    idle_us: 2,
                    interval_us: 1,
                    count: 3,
                }),
                user_timeout_us: Some(9),
            },
        }),
        Body::Held(HoldPoint {
            fault: 1,
            name: text(),
            question: text(),
            limit_us: 8,
        }),
        Body::Resumed { held_us: 4 },
        Body::Human(Human {
            role: "scribe".into(),
            name: text(),
            act: HumanAct::Note { text: text() },
        }),
        Body::Human(Human {
            role: "conductor".into(),
            name: String::new(),
            act: HumanAct::Noticed { fault: None },
        }),
        Body::Note { text: text() },
        Body::Invalid { reason: text() },
        Body::End {
            how: "completed".into(),
        },
    ]);
    all
}
