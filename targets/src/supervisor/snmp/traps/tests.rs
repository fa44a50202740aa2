//! Traps in time that is paused, on a socket in memory.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rasn_snmp::v2::{Pdu, Pdus, Response, SetRequest, VarBind, VarBindValue};
use rasn_snmp::v2c::Message;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::super::config::{SnmpConfig, TrapMib, TrapSink, TrapVersion};
use super::super::mib::{UPS_MIB, below};
use super::super::server::run_snmp_on;
use super::super::value::{Value, bind};
use crate::clock::Clock;
use crate::net::Datagram;
use crate::telemetry::{Board, Identity, Reading, ReadingStatus, UpsReading};

const SINK: &str = "127.0.0.1:162";

/// Keeps what is sent, and delivers what is put in.
#[derive(Clone, Default)]
struct Wire {
    sent: Arc<Mutex<Sent>>,
    inbox: Arc<Mutex<VecDeque<Vec<u8>>>>,
    arrived: Arc<Notify>,
}

/// What was sent, and how many seconds after the test began.
type Sent = Vec<(f64, Vec<u8>)>;

thread_local! {
    static BEGAN: Instant = Instant::now();
}

fn now() -> f64 {
    BEGAN.with(|began| began.elapsed().as_secs_f64())
}

#[async_trait]
impl Datagram for Wire {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            let next = self.inbox.lock().unwrap().pop_front();
            if let Some(bytes) = next {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                return Ok((bytes.len(), SINK.parse().unwrap()));
            }
            self.arrived.notified().await;
        }
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        assert_eq!(to, SINK.parse().unwrap());
        self.sent.lock().unwrap().push((now(), bytes.to_vec()));
        Ok(bytes.len())
    }

    fn local_addr(&self) -> SocketAddr {
        "127.0.0.1:161".parse().unwrap()
    }
}

impl Wire {
    fn sent(&self) -> Vec<(f64, Pdus)> {
        let pdus = |(at, bytes): &(f64, Vec<u8>)| {
            let message: Message<Pdus> = rasn::ber::decode(bytes).unwrap();
            (*at, message.data)
        };
        self.sent.lock().unwrap().iter().map(pdus).collect()
    }

    /// The sink answers the inform of this number.
    fn answer(&self, id: i32) {
        self.put("public", Pdus::Response(Response(pdu(id, Vec::new()))));
    }

    fn put(&self, community: &str, data: Pdus) {
        let message = Message {
            version: 1u8.into(),
            community: community.as_bytes().to_vec().into(),
            data,
        };
        let bytes = rasn::ber::encode(&message).unwrap();
        self.inbox.lock().unwrap().push_back(bytes);
        self.arrived.notify_one();
    }
}

fn pdu(request_id: i32, variable_bindings: Vec<VarBind>) -> Pdu {
    Pdu {
        request_id,
        error_status: 0,
        error_index: 0,
        variable_bindings,
    }
}

struct Site {
    board: Board,
    wire: Wire,
    agent: tokio::task::JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

fn site(sink: TrapSink) -> Site {
    now();
    let (board, _) = Board::new(Clock::start(), vec![Identity::new("ups-a", "ups", "")]);
    let wire = Wire::default();
    let config = SnmpConfig {
        traps: vec![sink],
        ..SnmpConfig::default()
    };
    let agent = tokio::spawn(run_snmp_on(board.clone(), config, Box::new(wire.clone())));
    let site = Site { board, wire, agent };
    site.read(ReadingStatus::OnLine);
    site
}

impl Site {
    fn read(&self, status: ReadingStatus) {
        self.publish(status, false);
    }

    fn publish(&self, status: ReadingStatus, replace_battery: bool) {
        let ups = UpsReading {
            status,
            replace_battery,
            output_v: 230.0,
            charge: 1.0,
            runtime_s: 600.0,
            ..UpsReading::default()
        };
        self.board
            .publish([("ups-a".to_string(), Reading::Ups(ups))]);
    }
}

fn sink(mib: TrapMib) -> TrapSink {
    TrapSink {
        mib,
        ..TrapSink::default()
    }
}

fn seconds(traps: &[(f64, Pdus)]) -> Vec<f64> {
    traps.iter().map(|(at, _)| at.round()).collect()
}

#[tokio::test(start_paused = true)]
async fn on_battery_is_repeated_every_minute_while_it_holds() {
    let site = site(sink(TrapMib::Ups));
    sleep(Duration::from_secs(10)).await;
    site.read(ReadingStatus::OnBattery);
    // Readings that come meanwhile do not move the minute.
    for _ in 0..21 {
        sleep(Duration::from_secs(9)).await;
        site.read(ReadingStatus::OnBattery);
    }
    site.read(ReadingStatus::OnLine);
    sleep(Duration::from_secs(600)).await;
    let traps = site.wire.sent();
    assert_eq!(seconds(&traps), [10.0, 70.0, 130.0, 190.0]);
    let named = shown(Value::Oid(below(&UPS_MIB, &[2, 1])));
    for (_, pdus) in &traps {
        let Pdus::Trap(trap) = pdus else {
            panic!("no trap: {pdus:?}");
        };
        assert_eq!(trap.0.variable_bindings[1].value, named);
        assert_eq!(trap.0.variable_bindings.len(), 5);
    }
    // The next outage has a minute of its own.
    site.read(ReadingStatus::OnBattery);
    sleep(Duration::from_secs(61)).await;
    assert_eq!(site.wire.sent().len(), 6);
}

fn inform(retries: u8) -> TrapSink {
    TrapSink {
        version: TrapVersion::V2c,
        inform: true,
        retries,
        ..sink(TrapMib::Ups)
    }
}

fn number(pdus: &Pdus) -> i32 {
    let Pdus::InformRequest(inform) = pdus else {
        panic!("no inform: {pdus:?}");
    };
    inform.0.request_id
}

#[tokio::test(start_paused = true)]
async fn an_inform_is_sent_until_it_is_answered() {
    let site = site(inform(5));
    site.read(ReadingStatus::OnBattery);
    sleep(Duration::from_millis(2_500)).await;
    let sent = site.wire.sent();
    assert_eq!(seconds(&sent), [0.0, 1.0, 2.0]);
    let id = number(&sent[0].1);
    assert!(sent.iter().all(|(_, pdus)| number(pdus) == id));
    // An answer to another is no answer to this.
    site.wire.answer(id + 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(site.wire.sent().len(), 4);
    site.wire.answer(id);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(site.wire.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_inform_is_given_up() {
    let site = site(inform(2));
    site.read(ReadingStatus::OnBattery);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(seconds(&site.wire.sent()), [0.0, 1.0, 2.0]);
}

fn shown(value: Value) -> VarBindValue {
    VarBindValue::Value(value.syntax(0))
}

/// A manager begins a quick battery test, with the spin lock that it has read.
fn begin_test(wire: &Wire, lock: i64) {
    let quick = Value::Oid(below(&UPS_MIB, &[1, 7, 7, 4]));
    let binds = vec![
        bind(&below(&UPS_MIB, &[1, 7, 2, 0]), Value::Int(lock).syntax(0)),
        bind(&below(&UPS_MIB, &[1, 7, 1, 0]), quick.syntax(0)),
    ];
    wire.put("private", Pdus::SetRequest(SetRequest(pdu(1, binds))));
}

/// When `upsTrapTestCompleted` was sent, and the summaries in it.
fn completed(wire: &Wire) -> Vec<(f64, VarBindValue)> {
    let name = shown(Value::Oid(below(&UPS_MIB, &[2, 2])));
    let of = |(at, pdus): (f64, Pdus)| match pdus {
        Pdus::Trap(trap) if trap.0.variable_bindings[1].value == name => {
            assert_eq!(trap.0.variable_bindings.len(), 8);
            Some((at.round(), trap.0.variable_bindings[4].value.clone()))
        }
        _ => None,
    };
    wire.sent().into_iter().filter_map(of).collect()
}

fn refusals(wire: &Wire) -> Vec<u32> {
    let of = |(_, pdus): (f64, Pdus)| match pdus {
        Pdus::Response(response) => Some(response.0.error_status),
        _ => None,
    };
    wire.sent().into_iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_battery_test_runs_and_its_end_is_told() {
    let site = site(sink(TrapMib::Ups));
    sleep(Duration::from_secs(1)).await;
    begin_test(&site.wire, 0);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(completed(&site.wire), []);
    // One test at a time, and none with a lock that somebody else has taken.
    begin_test(&site.wire, 1);
    sleep(Duration::from_secs(10)).await;
    begin_test(&site.wire, 0);
    sleep(Duration::from_secs(1)).await;
    const INCONSISTENT: u32 = Pdu::ERROR_STATUS_INCONSISTENT_VALUE;
    assert_eq!(refusals(&site.wire), [0, INCONSISTENT, INCONSISTENT]);
    let passed = (11.0, shown(Value::Int(1)));
    assert_eq!(completed(&site.wire), std::slice::from_ref(&passed));
    // A bad battery fails it, and an outage ends it.
    site.publish(ReadingStatus::OnLine, true);
    begin_test(&site.wire, 1);
    sleep(Duration::from_secs(20)).await;
    let failed = (27.0, shown(Value::Int(3)));
    site.read(ReadingStatus::OnLine);
    begin_test(&site.wire, 2);
    sleep(Duration::from_secs(5)).await;
    site.read(ReadingStatus::OnBattery);
    sleep(Duration::from_secs(10)).await;
    let aborted = (47.0, shown(Value::Int(4)));
    assert_eq!(completed(&site.wire), [passed, failed, aborted]);
}
