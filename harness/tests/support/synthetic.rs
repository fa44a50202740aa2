//! Records of any size, made from nothing but a number: what a long run leaves.

use std::path::Path;

use indexmap::IndexMap;

use ridethrough::load::{Fate, LedgerRow, Termination};
use ridethrough::plan::{Plan, plan};
use ridethrough::playbook::load_playbook;
use ridethrough::record::{
    Body, FaultReceipt, PhaseWindow, RecordWriter, RunHeader, SCHEMA, WitnessReport,
};
use ridethrough_targets::plant::Change;
use ridethrough_targets::service::{Attempt, AttemptEnd};

const S: u64 = 1_000_000;
const MS: u64 = 1_000;
/// Tokens of an answer.
const TOKENS: u64 = 100;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

/// What is said of a moment, in the order of moments.
type Said = Vec<(u64, &'static str, Body)>;

/// Writes a run folder: so many requests in so many seconds, with an outage in the
/// middle third in which one request of a hundred breaks off. Returns its plan.
pub(crate) fn synthetic(folder: &Path, requests: u64, seconds: u64) -> Plan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks");
    let loaded = load_playbook(&root.join("power/utility-outage.yaml")).expect("a playbook");
    let plan = plan(&loaded).expect("a plan");
    std::fs::write(folder.join("playbook.yaml"), &plan.yaml).expect("a folder");
    let end = seconds * S;
    let mut said: Said = Vec::new();
    frame(&mut said, end);
    power(&mut said, end);
    let mut dice = Dice(requests);
    for n in 0..requests {
        let at = n * end / requests;
        request(&mut said, &mut dice, n, at, end);
    }
    said.sort_by_key(|(t_us, ..)| *t_us);
    let done = Body::LoadDone {
        load: "chat".into(),
        planned: requests as u32,
        sent: requests as u32,
        lag_p99_us: 0,
    };
    said.push((end + 10 * S, "clients", done));
    let how = "completed".into();
    said.push((end + 10 * S, "engine", Body::End { how }));
    let mut record = RecordWriter::create(folder.join("record.jsonl")).expect("a record");
    for (t_us, source, body) in said {
        record.write(t_us, source, body).expect("a record");
    }
    plan
}

/// The header, the phases and the fault.
fn frame(said: &mut Said, end: u64) {
    let header = RunHeader {
        schema: SCHEMA,
        run: "synthetic".into(),
        playbook: "utility outage".into(),
        seed: 1,
        world: "virtual".into(),
        started: "1970-01-01T00:00:00Z".into(),
        version: "0.1.0".into(),
        facts: IndexMap::new(),
    };
    said.push((0, "engine", Body::Run(header)));
    for (n, name) in ["baseline", "outage", "recovery"].into_iter().enumerate() {
        let start = n as u64 * end / 3;
        let window = PhaseWindow {
            name: name.into(),
            end_us: start + end / 3,
        };
        said.push((start, "engine", Body::Phase(window)));
    }
    let own = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
    let receipt = FaultReceipt {
        fault: 0,
        fault_kind: "utility_outage".into(),
        target: "every utility".into(),
        nodes: Vec::new(),
        ups: own(&["ups-a", "ups-b"]),
        requested_us: end / 3,
        injected_us: end / 3,
        until_us: 2 * end / 3,
        requested: IndexMap::new(),
    };
    said.push((end / 3, "engine", Body::FaultInjected(receipt)));
    said.push((2 * end / 3, "engine", Body::FaultHealed { fault: 0 }));
    for (at, stage) in [(end / 3, "injected"), (2 * end / 3, "healed")] {
        let report = WitnessReport {
            fault: 0,
            witness: "bus meter".into(),
            stage: stage.into(),
            effective: true,
            observed_us: Some(at),
            measured: IndexMap::new(),
            problem: String::new(),
        };
        said.push((at + MS, "engine", Body::Witness(report)));
    }
}

/// Meters ten times a second, and the grid.
fn power(said: &mut Said, end: u64) {
    let mut charge = 1.0;
    for n in 0..end / (S / 10) {
        let at = n * S / 10;
        let out = (end / 3..2 * end / 3).contains(&at);
        charge = if out { charge - 1e-4 } else { charge };
        let voltage = |name: &str| {
            (
                name.to_string(),
                if out && name == "grid" { 0.0 } else { 1.0 },
            )
        };
        let watts = |name: &str| (name.to_string(), 600.0 + ((n * 7) % 400) as f64);
        let meters = Body::Meters {
            voltage_pu: ["grid", "ups-a", "ups-b", "pdu-a", "pdu-b"]
                .map(voltage)
                .into(),
            charge: ["ups-a", "ups-b"]
                .map(|ups| (ups.to_string(), charge))
                .into(),
            watts: ["edge-1", "gpu-1", "gpu-2", "gpu-3"].map(watts).into(),
        };
        said.push((at, "plant", meters));
    }
    for (at, source) in [(end / 3, "ups-a.battery"), (2 * end / 3, "grid")] {
        let body = Body::Plant {
            component: "pdu-a".into(),
            cause: "follows ups-a".into(),
            change: Change::Bus {
                voltage_pu: 1.0,
                source: source.into(),
            },
        };
        said.push((at, "plant", body));
    }
}

fn request(said: &mut Said, dice: &mut Dice, n: u64, at: u64, end: u64) {
    let torn = (end / 3..2 * end / 3).contains(&at) && n.is_multiple_of(100);
    let tokens = if torn { TOKENS / 2 } else { TOKENS };
    let mut token_us = vec![at + 50 * MS + dice.below(20_000)];
    token_us.extend((1..tokens).map(|_| 18 * MS + dice.below(4_000)));
    let end_us = token_us.iter().sum::<u64>() + if torn { 4 * S } else { MS };
    let id = format!("chat-{n}");
    let replica = format!("gpu-{}", n % 3 + 1);
    let attempt = Attempt {
        request: id.clone(),
        index: 0,
        replica: replica.clone(),
        start_us: at + MS,
        end_us,
        from_token: 0,
        tokens: tokens as u32,
        end: if torn {
            AttemptEnd::IdleTimeout
        } else {
            AttemptEnd::Completed
        },
    };
    said.push((end_us, "edge-1", Body::Attempt(attempt)));
    let row = LedgerRow {
        id,
        load: "chat".into(),
        class: "interactive".into(),
        prompt_tokens: 64,
        output_tokens: TOKENS as u32,
        scheduled_us: at,
        sent_us: at,
        connected_us: Some(at + MS),
        headers_us: Some(at + 40 * MS),
        token_us: token_us.into(),
        end_us,
        first_error_us: torn.then_some(end_us),
        attempts: 1,
        status: Some(200),
        served_by: vec![(replica, 0)],
        tokens: tokens as u32,
        finish: (!torn).then(|| "stop".into()),
        done: !torn,
        termination: if torn {
            Termination::EofInBody
        } else {
            Termination::Clean
        },
        fate: if torn {
            Fate::Truncated
        } else {
            Fate::Completed
        },
        detail: if torn {
            "closed after token 50".into()
        } else {
            String::new()
        },
    };
    said.push((end_us, "clients", Body::Request(row)));
}
