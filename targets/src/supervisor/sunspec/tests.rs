//! The server byte for byte, and against nonsense.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::frame::{Ask, Frame};
use super::models::{Beat, Held, map};
use super::*;
use crate::clock::Clock;
use crate::net::{HostNet, Net, SocketOptions};
use crate::telemetry::{
    BessMode, BessReading, BessStatus, Board, CommandError, DeviceCommand, DeviceOrder, Distorted,
    Distortion, Identity, Reading,
};
use crate::units::Span;

const WAIT: Duration = Duration::from_secs(20);

fn reading() -> BessReading {
    BessReading {
        status: BessStatus::Connected,
        mode: BessMode::Following,
        v: 230.0,
        nominal_v: 230.0,
        hz: 50.0,
        w: -12_000.0,
        rating_w: 500_000.0,
        energy_wh: 1e6,
        charge: 0.5,
        health: 1.0,
        limits: [0.1, 0.95],
        dc_v: 800.0,
        cell_v: [3.29, 3.31],
        controller_heard: true,
        ..BessReading::default()
    }
}

async fn server() -> (Board, Receiver<DeviceOrder>, TcpStream) {
    serve(SunspecConfig::default()).await
}

async fn serve(config: SunspecConfig) -> (Board, Receiver<DeviceOrder>, TcpStream) {
    let plates = vec![
        Identity::new("grid", "utility", ""),
        Identity::new("bess-1", "bess", "500kW"),
    ];
    let (board, orders) = Board::new(Clock::start(), plates);
    board.publish([("bess-1".to_string(), Reading::Bess(reading()))]);
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await.unwrap();
    let address = listener.local_addr();
    tokio::spawn(run_sunspec_on(board.clone(), config, listener));
    (board, orders, TcpStream::connect(address).await.unwrap())
}

/// Sends a PDU to a unit and gives the answer's.
async fn ask(stream: &mut TcpStream, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0, 0];
    bytes.extend((pdu.len() as u16 + 1).to_be_bytes());
    bytes.push(unit);
    bytes.extend(pdu);
    stream.write_all(&bytes).await.unwrap();
    let mut head = [0; 7];
    timeout(WAIT, stream.read_exact(&mut head))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(head[..4], [0x12, 0x34, 0, 0]);
    assert_eq!(head[6], unit);
    let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
    stream.read_exact(&mut pdu).await.unwrap();
    pdu
}

fn read_at(at: u16, count: u16) -> Vec<u8> {
    [
        vec![3],
        at.to_be_bytes().to_vec(),
        count.to_be_bytes().to_vec(),
    ]
    .concat()
}

fn write_at(at: u16, value: u16) -> Vec<u8> {
    [
        vec![6],
        at.to_be_bytes().to_vec(),
        value.to_be_bytes().to_vec(),
    ]
    .concat()
}

#[tokio::test]
async fn the_map_is_a_chain_of_models() {
    let (_board, _orders, mut stream) = server().await;
    assert_eq!(
        ask(&mut stream, 1, &read_at(40_000, 2)).await,
        b"\x03\x04SunS"
    );
    let plate = Identity::new("bess-1", "bess", "");
    let words = map(&plate, &reading(), &Held::new(), Beat::default());
    let (mut at, mut chain) = (2, Vec::new());
    while words[at] != 0xffff {
        chain.push((40_000 + at, words[at]));
        at += usize::from(words[at + 1]) + 2;
    }
    let wanted = [
        (40_002, 1),
        (40_070, 701),
        (40_225, 702),
        (40_277, 703),
        (40_296, 704),
        (40_363, 713),
        (40_372, 715),
        (40_381, 802),
        (40_445, 803),
    ];
    assert_eq!(chain, wanted);
    assert_eq!((at, words.len()), (601, 603));
    // 701 W: -12 kW in steps of 100 W.
    assert_eq!(words[70 + 10] as i16, -120);
    assert_eq!(words[70 + 116], 2);
    // 802 SoC: 50.0 %.
    assert_eq!(words[381 + 11], 500);
}

#[tokio::test]
async fn refusals_are_the_standards() {
    let (_board, _orders, mut stream) = server().await;
    let mut refused = async |unit: u8, pdu: &[u8]| ask(&mut stream, unit, pdu).await;
    assert_eq!(refused(1, &read_at(39_999, 1)).await, [0x83, 2]);
    assert_eq!(refused(1, &read_at(40_602, 2)).await, [0x83, 2]);
    assert_eq!(refused(1, &read_at(40_000, 126)).await, [0x83, 3]);
    assert_eq!(refused(1, &read_at(40_000, 0)).await, [0x83, 3]);
    assert_eq!(refused(1, &[1, 0, 0, 0, 1]).await, [0x81, 1]);
    assert_eq!(refused(1, &write_at(40_080, 5)).await, [0x86, 2]);
    assert_eq!(refused(1, &write_at(40_431, 7)).await, [0x86, 3]);
    assert_eq!(refused(2, &read_at(40_000, 2)).await, [0x83, 11]);
    // 704 WSet beyond the rating: 600 kW in steps of 100 W.
    let far = [
        &[16][..],
        &40_320u16.to_be_bytes(),
        &[0, 2, 4, 0, 0, 0x17, 0x70],
    ]
    .concat();
    assert_eq!(refused(1, &far).await, [0x90, 3]);
}

#[tokio::test]
async fn writes_become_orders_and_lapse() {
    let (_board, mut orders, mut stream) = server().await;
    let obeys = tokio::spawn(async move {
        let mut told = Vec::new();
        while let Some(order) = orders.recv().await {
            told.push(order.command.clone());
            let last = order.command == DeviceCommand::Power { watts: None };
            let _ = order.done.send(Ok(()));
            if last {
                break;
            }
        }
        told
    });
    // WSetEna, WSetMod, WSet = 50 kW; then a reversion after one second.
    let revert = [&[16][..], &40_327u16.to_be_bytes(), &[0, 2, 4, 0, 0, 0, 1]].concat();
    assert_eq!(ask(&mut stream, 1, &revert).await[0], 16);
    let set = [
        &[16][..],
        &40_318u16.to_be_bytes(),
        &[0, 4, 8, 0, 1, 0, 1, 0, 0, 1, 0xf4],
    ]
    .concat();
    assert_eq!(ask(&mut stream, 1, &set).await, [16, 0x9d, 0x7e, 0, 4]);
    assert_eq!(
        ask(&mut stream, 1, &write_at(40_431, 1)).await,
        write_at(40_431, 1)
    );
    assert_eq!(ask(&mut stream, 1, &write_at(40_279, 0)).await[0], 6);
    assert_eq!(ask(&mut stream, 1, &write_at(40_348, 0)).await[0], 6);
    let told = timeout(WAIT, obeys).await.unwrap().unwrap();
    let wanted = [
        DeviceCommand::Power {
            watts: Some(50_000.0),
        },
        DeviceCommand::Connect { on: true },
        DeviceCommand::Island { on: true },
        DeviceCommand::Form { on: true },
        DeviceCommand::Power { watts: None },
    ];
    assert_eq!(told, wanted);
}

#[test]
fn a_time_to_revert_that_is_written_last_begins_then() {
    let held = Held {
        set_on: true,
        ..Held::new()
    };
    let written = order::read(40_327, &[0, 5], &held, &reading());
    let written = written.ok().unwrap();
    assert!(written.armed && written.held.revert_s == 5);
    assert_eq!(written.orders, []);
}

#[tokio::test]
async fn what_the_device_refuses_is_a_device_failure_and_leaves_no_trace() {
    let (_board, mut orders, mut stream) = server().await;
    tokio::spawn(async move {
        while let Some(order) = orders.recv().await {
            let _ = order.done.send(Err(CommandError::Refused("no".into())));
        }
    });
    assert_eq!(ask(&mut stream, 1, &write_at(40_279, 0)).await, [0x86, 4]);
    assert_eq!(ask(&mut stream, 1, &read_at(40_279, 1)).await, [3, 2, 0, 1]);
}

#[tokio::test]
async fn telemetry_fails_as_modbus_says_it() {
    let (board, _orders, mut stream) = server().await;
    let all = |how| Distorted {
        how,
        protocols: Vec::new(),
        devices: Vec::new(),
    };
    board.distort(1, all(Distortion::Stale));
    assert_eq!(ask(&mut stream, 1, &read_at(40_000, 2)).await, [0x83, 11]);
    board.distort(1, all(Distortion::Lost));
    let question = read_at(40_000, 2);
    let silent = timeout(Duration::from_millis(300), ask(&mut stream, 1, &question));
    assert!(silent.await.is_err());
}

#[tokio::test]
async fn nonsense_and_a_thousand_idle_clients_stall_nobody() {
    let (board, _orders, mut stream) = server().await;
    let peer = stream.peer_addr().unwrap();
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(peer).await.unwrap());
    }
    for junk in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 300],
        &[0, 1, 0, 0, 0xff, 0xff, 1, 3],
    ] {
        let mut other = TcpStream::connect(peer).await.unwrap();
        let _ = other.write_all(junk).await;
        let mut rest = Vec::new();
        let _ = timeout(WAIT, other.read_to_end(&mut rest)).await.unwrap();
    }
    drop(board);
    assert_eq!(
        ask(&mut stream, 255, &read_at(40_000, 2)).await,
        b"\x03\x04SunS"
    );
}

#[tokio::test]
async fn a_client_that_reads_nothing_or_says_half_is_dropped() {
    let short = SunspecConfig {
        idle: Span::from_millis(200),
        write: Span::from_millis(200),
        ..SunspecConfig::default()
    };
    let (_board, _orders, mut deaf) = serve(short).await;
    let mut half = TcpStream::connect(deaf.peer_addr().unwrap()).await.unwrap();
    half.write_all(&[0, 1, 0, 0, 0, 6, 1]).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(WAIT, half.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
    let question = [&[0, 1, 0, 0, 0, 6, 1][..], &read_at(40_000, 125)].concat();
    let ask = async { while deaf.write_all(&question).await.is_ok() {} };
    timeout(WAIT, ask).await.unwrap();
}

proptest! {
    #[test]
    fn any_pdu_is_an_ask_or_a_refusal(pdu in proptest::collection::vec(any::<u8>(), 0..253)) {
        let frame = Frame { transaction: 1, unit: 1, pdu };
        match frame.ask() {
            Ok(Ask::Read { count, .. }) => prop_assert!((1..=125).contains(&count)),
            Ok(Ask::Write { values, .. }) => prop_assert!((1..=123).contains(&values.len())),
            Err(why) => prop_assert_eq!(frame.refusal(why).len(), 9),
        }
    }

    #[test]
    fn any_write_is_all_or_nothing(at in 39_900u16..40_700, values in proptest::collection::vec(any::<u16>(), 1..123)) {
        if let Ok(written) = order::read(at, &values, &Held::new(), &reading()) {
            prop_assert!(written.held.set_w.abs() <= reading().rating_w);
        }
    }

    #[test]
    fn any_reading_makes_a_whole_map(w in any::<f64>(), charge in any::<f64>(), volts in any::<f64>()) {
        let wild = BessReading { w, charge, dc_v: volts, ..reading() };
        let words = map(&Identity::new("b", "bess", ""), &wild, &Held::new(), Beat::default());
        prop_assert_eq!(words.len(), 603);
    }
}
