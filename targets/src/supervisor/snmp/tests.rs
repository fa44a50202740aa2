//! The agent by its messages, without a socket.

use std::sync::Arc;

use proptest::prelude::*;
use rasn::types::{Integer, OctetString};
use rasn_snmp::v2::{
    BulkPdu, GetBulkRequest, GetNextRequest, GetRequest, Pdu, Pdus, Response, VarBind, VarBindValue,
};
use rasn_snmp::v2c::Message;

use super::agent::Agent;
use super::config::{AuthProtocol, PrivProtocol, SnmpConfig, TrapSink, UsmUser};
use super::message::{Step, receive};
use super::traps::Notice;
use super::value::object_id;
use crate::clock::Clock;
use crate::telemetry::{
    Board, Distorted, Distortion, Identity, Protocol, Reading, ReadingStatus, UpsReading,
};

const UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

fn ups(status: ReadingStatus) -> UpsReading {
    UpsReading {
        status,
        input_v: 230.0,
        output_v: 230.0,
        output_w: 1_000.0,
        rating_w: 5_000.0,
        charge: 1.0,
        runtime_s: 600.0,
        ..UpsReading::default()
    }
}

fn agent(config: SnmpConfig) -> Agent {
    let (board, _) = Board::new(Clock::start(), vec![Identity::new("ups-a", "ups", "")]);
    let agent = Agent::new(board, config);
    publish(&agent, ups(ReadingStatus::OnLine));
    agent
}

fn publish(agent: &Agent, reading: UpsReading) {
    let reading = Reading::Ups(reading);
    agent.board.publish([("ups-a".to_string(), reading)]);
}

fn config() -> SnmpConfig {
    SnmpConfig {
        users: vec![UsmUser {
            name: "u".into(),
            auth: Some(AuthProtocol::Sha1),
            auth_password: "password".into(),
            privacy: Some(PrivProtocol::Aes128),
            priv_password: "password".into(),
            write: true,
        }],
        traps: vec![TrapSink::default()],
        ..SnmpConfig::default()
    }
}

fn binds(names: &[&[u32]]) -> Vec<VarBind> {
    let bind = |name: &&[u32]| VarBind {
        name: object_id(name),
        value: VarBindValue::Unspecified,
    };
    names.iter().map(bind).collect()
}

fn pdu(names: &[&[u32]]) -> Pdu {
    Pdu {
        request_id: 7,
        error_status: 0,
        error_index: 0,
        variable_bindings: binds(names),
    }
}

fn message(version: u8, data: Pdus) -> Vec<u8> {
    let message = Message {
        version: Integer::from(version),
        community: OctetString::from_static(b"public"),
        data,
    };
    rasn::ber::encode(&message).unwrap()
}

fn bulk(non_repeaters: u32, max_repetitions: u32, names: &[&[u32]]) -> Vec<u8> {
    let pdu = BulkPdu {
        request_id: 7,
        non_repeaters,
        max_repetitions,
        variable_bindings: binds(names),
    };
    message(1, Pdus::GetBulkRequest(GetBulkRequest(pdu)))
}

/// The raw answer to a message that only reads.
fn raw(agent: &Agent, bytes: &[u8]) -> Option<Vec<u8>> {
    match receive(agent, bytes) {
        Step::Drop => None,
        Step::Send(bytes) => Some(bytes),
        Step::Answer(request) => request.answer_now(agent),
    }
}

fn ask(agent: &Agent, bytes: &[u8]) -> Option<Pdu> {
    let message: Message<Response> = rasn::ber::decode(&raw(agent, bytes)?).unwrap();
    Some(message.data.0)
}

#[test]
fn exceptions_become_errors_in_v1() {
    let agent = agent(SnmpConfig::default());
    let names: [&[u32]; 3] = [&UPTIME, &[1, 3, 6, 1, 2, 1, 1, 3, 1], &[1, 3, 9]];
    let get = || Pdus::GetRequest(GetRequest(pdu(&names)));
    let v2 = ask(&agent, &message(1, get())).unwrap();
    assert_eq!(v2.error_status, 0);
    assert_eq!(v2.variable_bindings[1].value, VarBindValue::NoSuchInstance);
    assert_eq!(v2.variable_bindings[2].value, VarBindValue::NoSuchObject);
    let v1 = ask(&agent, &message(0, get())).unwrap();
    assert_eq!((v1.error_status, v1.error_index), (2, 2));
    assert_eq!(v1.variable_bindings, binds(&names));
    // SNMPv1 has no GETBULK.
    let mut old = bulk(0, 1, &[&UPTIME]);
    let version = old.iter().position(|b| *b == 1).unwrap();
    assert!(raw(&agent, &old).is_some());
    old[version + 1] = 0;
    assert!(raw(&agent, &old).is_none());
}

#[test]
fn the_end_is_told_in_both_versions() {
    let agent = agent(SnmpConfig::default());
    let next = || Pdus::GetNextRequest(GetNextRequest(pdu(&[&[1, 3, 7]])));
    let v2 = ask(&agent, &message(1, next())).unwrap();
    assert_eq!(v2.variable_bindings[0].value, VarBindValue::EndOfMibView);
    let v1 = ask(&agent, &message(0, next())).unwrap();
    assert_eq!((v1.error_status, v1.error_index), (2, 1));
}

#[test]
fn bulk_repeats_what_follows_the_single_ones() {
    let agent = agent(SnmpConfig::default());
    let names: [&[u32]; 2] = [&[1, 3, 6, 1, 2, 1, 1, 3], &[1, 3, 6, 1, 2, 1, 33, 1, 2]];
    let answer = ask(&agent, &bulk(1, 3, &names)).unwrap();
    assert_eq!(answer.variable_bindings.len(), 4);
    assert_eq!(answer.variable_bindings[0].name, object_id(&UPTIME));
    let none = ask(&agent, &bulk(9, 3, &names)).unwrap();
    assert_eq!(none.variable_bindings.len(), 2);
    // A row of ends is the last row.
    let ends = ask(&agent, &bulk(0, 1_000, &[&[1, 3, 7]])).unwrap();
    assert_eq!(ends.variable_bindings.len(), 1);
}

#[test]
fn an_answer_never_outgrows_its_message() {
    let config = SnmpConfig {
        max_message: 484,
        ..SnmpConfig::default()
    };
    let agent = agent(config);
    let full = raw(&agent, &bulk(0, u32::MAX, &[&[1, 3]])).unwrap();
    assert!((400..=484).contains(&full.len()), "{}", full.len());
    let descr: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 1, 0];
    let names = [descr; 20];
    let get = || Pdus::GetRequest(GetRequest(pdu(&names)));
    let v2 = ask(&agent, &message(1, get())).unwrap();
    assert_eq!((v2.error_status, v2.error_index), (1, 0));
    assert!(v2.variable_bindings.is_empty());
    let v1 = ask(&agent, &message(0, get())).unwrap();
    assert_eq!((v1.error_status, v1.variable_bindings.len()), (1, 20));
}

#[test]
fn every_walk_is_sorted_and_every_name_is_found() {
    let agent = agent(SnmpConfig::default());
    publish(&agent, ups(ReadingStatus::OnBattery));
    let table = agent.look("ups-a").unwrap();
    assert!(table.entries().is_sorted_by(|a, b| a.oid < b.oid));
    for entry in table.entries() {
        assert_eq!(table.get(&entry.oid).unwrap().value, entry.value);
    }
    // The alarm table has its row.
    let row = [1, 3, 6, 1, 2, 1, 33, 1, 6, 2, 1, 2, 1];
    assert!(table.get(&row).is_ok());
}

#[test]
fn what_changes_is_told_once() {
    let agent = agent(config());
    let heard = |agent: &Agent| {
        agent.look("ups-a");
        agent.look("ups-a");
        let events = agent.take_events();
        events.into_iter().map(|e| e.notice).collect::<Vec<_>>()
    };
    assert_eq!(heard(&agent), []);
    publish(&agent, ups(ReadingStatus::OnBattery));
    assert_eq!(heard(&agent), [Notice::OnBattery, Notice::Apc(5)]);
    let low = UpsReading {
        low_battery: true,
        ..ups(ReadingStatus::OnBattery)
    };
    publish(&agent, low);
    let notices = heard(&agent);
    assert!(matches!(notices[..], [Notice::Added(a), Notice::Apc(7)] if a.kind == 3));
    publish(&agent, ups(ReadingStatus::OnLine));
    let notices = heard(&agent);
    assert!(matches!(notices[..], [Notice::Removed(a), Notice::Apc(9)] if a.kind == 3));
    let stale = Distorted {
        how: Distortion::Stale,
        protocols: vec![Protocol::Snmp],
        devices: Vec::new(),
    };
    agent.board.distort(1, stale);
    let notices = heard(&agent);
    assert!(matches!(notices[..], [Notice::Added(a), Notice::Apc(1)] if a.kind == 20));
    agent.board.restore(1);
    let notices = heard(&agent);
    assert!(matches!(notices[..], [Notice::Removed(a), Notice::Apc(8)] if a.kind == 20));
}

#[test]
fn a_table_is_made_once_for_a_reading() {
    let agent = agent(SnmpConfig::default());
    let first = agent.look("ups-a").unwrap();
    assert!(Arc::ptr_eq(&first, &agent.look("ups-a").unwrap()));
    publish(&agent, ups(ReadingStatus::OnLine));
    assert!(!Arc::ptr_eq(&first, &agent.look("ups-a").unwrap()));
}

/// Valid messages of every version.
fn valid() -> Vec<Vec<u8>> {
    // The discovery of an engine, as net-snmp sends it.
    let discovery = b"\x30\x3e\x02\x01\x03\x30\x11\x02\x04\x25\x1c\x4f\x2a\x02\x03\x00\xff\xe3\
        \x04\x01\x04\x02\x01\x03\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\
        \x04\x00\x30\x14\x04\x00\x04\x00\xa0\x0e\x02\x04\x76\x1e\x5a\x4e\x02\x01\x00\x02\x01\x00\
        \x30\x00";
    let names: [&[u32]; 2] = [&UPTIME, &[1, 3, 6, 1, 2, 1, 33, 1, 4, 1, 0]];
    vec![
        message(0, Pdus::GetRequest(GetRequest(pdu(&names)))),
        message(1, Pdus::GetNextRequest(GetNextRequest(pdu(&names)))),
        bulk(1, 20, &names),
        discovery.to_vec(),
    ]
}

#[test]
fn every_valid_message_is_answered() {
    let agent = agent(config());
    for bytes in valid() {
        assert!(raw(&agent, &bytes).is_some(), "{bytes:?}");
    }
}

thread_local! {
    static AGENT: Agent = agent(config());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        AGENT.with(|agent| raw(agent, &bytes));
    }

    #[test]
    fn no_mutation_makes_it_panic_or_talk_too_much(
        which in 0usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut bytes = valid().swap_remove(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        let answer = AGENT.with(|agent| raw(agent, &bytes));
        prop_assert!(answer.is_none_or(|answer| answer.len() <= 1_472));
    }
}
