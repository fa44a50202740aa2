//! Windows by phase: what happens elsewhere is not theirs.

use serde_json::{Value, json};

use ridethrough_targets::plant::{Change, UpsState};

use super::testkit::{FAULT, HEAL, MS, Record, S};
use super::tests::{fail, invalid, pass};

/// The assertion, of a phase.
fn during(mut assertion: Value, phase: &str) -> Value {
    for settings in assertion.as_object_mut().into_iter().flatten() {
        settings.1["during"] = json!(phase);
    }
    assertion
}

/// When the second fault of these records begins and ends, in `recovery`.
const SECOND: std::ops::Range<u64> = 34 * S..36 * S;

/// A good outage, and a second one that is carried over in 50 ms, told of after
/// 1.5 s, and over for the supervisor 3 s after the heal.
fn two_outages() -> Record {
    Record::outage().with(|r| {
        r.fault_at(1, "utility_outage", "grid", &[], &["ups-a"], SECOND);
        r.bus(SECOND.start + MS, "pdu-a", 0.0, "");
        r.bus(SECOND.start + 51 * MS, "pdu-a", 1.0, "ups-a battery");
        let at = SECOND.start + 51 * MS;
        r.ups(at, UpsState::Transferring, UpsState::OnBattery);
        r.status(SECOND.start + 1500 * MS, "OB DISCHRG");
        r.status(SECOND.end + 3 * S, "OL CHRG");
    })
}

/// `gpu-2` without power in good order, and `gpu-1` hung later, which nobody
/// notices.
fn two_losses() -> Record {
    Record::loss().with(|r| r.fault_at(1, "hang", "node gpu-1", &["gpu-1"], &[], SECOND))
}

#[test]
fn a_window_is_a_phase_of_the_record() {
    for assertion in [
        json!({"failover": {"to": "battery", "within": "10ms"}}),
        json!({"supervisor": {"reports": "on_battery", "within": "1s"}}),
        json!({"recovery": {"within": "1s"}}),
        json!({"eviction": {"within": "1s"}}),
        json!({"readmission": {"within": "1s"}}),
        json!({"battery": {"charge_at_least": "10%"}}),
        json!({"detection": {"within": "1s"}}),
        json!({"nodes": {"lost_at_most": 0}}),
        json!({"goodput": {"at_least": "1/s"}}),
    ] {
        let why = invalid(&two_outages(), during(assertion, "nowhere"));
        assert!(why.contains("no phase `nowhere`"), "{why}");
    }
}

#[test]
fn failover_in_the_phase_of_its_fault() {
    let asked = json!({"failover": {"to": "battery", "within": "10ms"}});
    let record = two_outages();
    assert_eq!(fail(&record, asked.clone()), "gap of 50 ms at pdu-a");
    let first = during(asked.clone(), "outage");
    assert_eq!(pass(&record, first), "gap of 8 ms at pdu-a");
    fail(&record, during(asked.clone(), "recovery"));
    let none = invalid(&record, during(asked, "baseline"));
    assert_eq!(none, "no fault touched any UPS during baseline");
}

#[test]
fn supervisor_counts_from_the_faults_of_a_phase() {
    let record = two_outages();
    let told = json!({"supervisor": {"reports": "on_battery", "within": "500ms"}});
    pass(&record, told.clone());
    pass(&record, during(told.clone(), "outage"));
    assert_eq!(
        fail(&record, during(told.clone(), "recovery")),
        "on_battery by NUT after 1.5 s"
    );
    invalid(&record, during(told, "baseline"));
    // A settled state holds until the next phase's fault ends it.
    let over = json!({"supervisor": {"reports": "utility", "within": "2s"}});
    fail(&record, over.clone());
    assert_eq!(
        pass(&record, during(over.clone(), "outage")),
        "utility by NUT after 1.2 s"
    );
    fail(&record, during(over, "recovery"));
}

#[test]
fn recovery_from_the_faults_of_a_phase() {
    let asked = json!({"recovery": {"within": "500ms"}});
    // Sent half a second after the second heal.
    let record = two_losses().with(|r| r.tear("chat-126"));
    fail(&record, asked.clone());
    pass(&record, during(asked.clone(), "outage"));
    fail(&record, during(asked.clone(), "recovery"));
    invalid(&record, during(asked.clone(), "baseline"));
    // Sent between the two: the first heal is long past, the second to come.
    let record = two_losses().with(|r| r.tear("chat-110"));
    pass(&record, asked.clone());
    fail(&record, during(asked.clone(), "outage"));
    pass(&record, during(asked.clone(), "recovery"));
    // Cut by the second fault: that is not the first one's doing.
    let record = two_losses().with(|r| r.tear("chat-115"));
    pass(&record, during(asked, "outage"));
}

#[test]
fn eviction_and_readmission_after_the_faults_of_a_phase() {
    let record = two_losses();
    for kind in ["eviction", "readmission"] {
        let asked = json!({kind: {"within": "1s"}});
        assert!(fail(&record, asked.clone()).starts_with("gpu-1 never taken"));
        assert!(pass(&record, during(asked.clone(), "outage")).starts_with("gpu-2 taken"));
        fail(&record, during(asked.clone(), "recovery"));
        let none = invalid(&record, during(asked, "baseline"));
        assert_eq!(none, "no fault hit any replica during baseline");
    }
}

#[test]
fn battery_at_its_lowest_in_a_phase() {
    let record = Record::clean().with(|r| {
        for (at, charge) in [(6, 0.95), (20, 0.7), (25, 0.8), (35, 0.5), (36, 0.9)] {
            r.charge(at * S, "ups-a", charge);
        }
    });
    let asked = json!({"battery": {"charge_at_least": "60%"}});
    fail(&record, asked.clone());
    assert_eq!(
        pass(&record, during(asked.clone(), "outage")),
        "70% left in ups-a at its lowest during outage"
    );
    fail(&record, during(asked.clone(), "recovery"));
    pass(&record, during(asked, "baseline"));
}

#[test]
fn a_battery_brings_its_charge_into_a_phase() {
    let record = Record::clean().with(|r| {
        r.charge(20 * S, "ups-a", 0.4);
        r.charge(31 * S, "ups-a", 0.9);
    });
    let asked = json!({"battery": {"charge_at_least": "60%"}});
    fail(&record, during(asked.clone(), "recovery"));
    let why = invalid(&record, during(asked, "baseline"));
    assert_eq!(why, "no meter showed the charge of any UPS during baseline");
}

#[test]
fn detection_of_the_faults_of_a_phase() {
    let asked = json!({"detection": {"within": "1s"}});
    let record = |first: u64, second: u64| {
        two_losses().with(|r| {
            for (id, at) in [("chat-21", FAULT + first), ("chat-118", 34 * S + second)] {
                r.tear(id);
                r.edit(id, |row| row.first_error_us = Some(at));
            }
        })
    };
    let late = record(520 * MS, 1900 * MS);
    pass(&late, asked.clone());
    pass(&late, during(asked.clone(), "outage"));
    let second = fail(&late, during(asked.clone(), "recovery"));
    assert!(second.starts_with("first error after 1.9 s (chat-118);"));
    let early = record(1520 * MS, 600 * MS);
    fail(&early, asked.clone());
    fail(&early, during(asked.clone(), "outage"));
    pass(&early, during(asked.clone(), "recovery"));
    invalid(&early, during(asked, "baseline"));
}

#[test]
fn nodes_lost_and_braked_in_a_phase() {
    let record = Record::loss().with(|r| {
        r.plant(HEAL + S, "gpu-1", Change::Brake { clocks: 0.5 });
        r.plant(HEAL + 2 * S, "gpu-1", Change::Brake { clocks: 1.0 });
    });
    let none = json!({"nodes": {"lost_at_most": 0}});
    fail(&record, none.clone());
    fail(&record, during(none.clone(), "outage"));
    assert_eq!(
        pass(&record, during(none, "recovery")),
        "0 lost, 1 braked during recovery"
    );
    let braked = json!({"nodes": {"braked_at_least": 1}});
    pass(&record, braked.clone());
    pass(&record, during(braked.clone(), "recovery"));
    fail(&record, during(braked, "outage"));
}

#[test]
fn goodput_of_a_class() {
    let record = Record::outage().with(|r| r.edit("chat-40", |row| row.class = "batch".into()));
    let asked = |class: &str, rate: &str| json!({"goodput": {"at_least": rate, "class": class, "during": "outage"}});
    pass(
        &record,
        json!({"goodput": {"at_least": "4/s", "during": "outage"}}),
    );
    let seen = fail(&record, asked("interactive", "4/s"));
    assert!(
        seen.contains("79 good of 79 of class interactive"),
        "{seen}"
    );
    pass(&record, asked("batch", "0.05/s"));
    invalid(&record, asked("bulk", "0.05/s"));
}
