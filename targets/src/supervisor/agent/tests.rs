//! The agent with a client of our own, on the loopback network.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

use super::*;
use crate::clock::Clock;
use crate::net::{HostNet, Net, SocketOptions};
use crate::supervisor::nut::{ClientError, NutClient};
use crate::telemetry::{
    Board, CommandError, DeviceCommand, DeviceOrder, Distorted, Distortion, Identity,
    OutletReading, PduReading, Protocol, Reading, ReadingStatus, UpsReading,
};

const WAIT: Duration = Duration::from_secs(20);

fn ups(status: ReadingStatus) -> Reading {
    Reading::Ups(UpsReading {
        status,
        input_v: 230.0,
        input_hz: 50.0,
        output_v: 230.0,
        output_hz: 50.0,
        charge: 0.5,
        runtime_s: 300.0,
        rating_w: 10_000.0,
        ..UpsReading::default()
    })
}

async fn site() -> (Board, Receiver<DeviceOrder>, NutClient) {
    let devices = vec![
        Identity::new("ups-a", "ups", "VFI 10kW"),
        Identity::new("pdu-a", "pdu", "63A"),
        Identity::new("grid", "utility", ""),
    ];
    let (board, orders) = Board::new(Clock::start(), devices);
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await.unwrap();
    let port = listener.local_addr().port();
    let outlet = OutletReading {
        node: "gpu-1".into(),
        on: true,
        ..OutletReading::default()
    };
    let pdu = PduReading {
        v: 229.6,
        outlets: vec![outlet],
        ..PduReading::default()
    };
    board.publish([
        ("ups-a".to_string(), ups(ReadingStatus::OnLine)),
        ("pdu-a".to_string(), Reading::Pdu(pdu)),
    ]);
    tokio::spawn(nut_on(
        board.clone(),
        NutAgentConfig::default(),
        listener,
        1,
    ));
    let client = NutClient::connect(&net, "host", port, WAIT).await.unwrap();
    (board, orders, client)
}

async fn until(client: &mut NutClient, ups: &str, name: &str, value: &str) {
    let reached = async {
        loop {
            let rows = client.list_var(ups).await.unwrap();
            if rows.iter().any(|(n, v)| n == name && v == value) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let what = format!("{ups} never showed {name} {value}");
    timeout(WAIT, reached).await.expect(&what);
}

#[tokio::test]
async fn it_shows_what_the_board_shows() {
    let (board, _orders, mut client) = site().await;
    until(&mut client, "ups-a", "ups.status", "OL").await;
    until(&mut client, "pdu-a", "outlet.1.desc", "gpu-1").await;
    board.publish([("ups-a".to_string(), ups(ReadingStatus::OnBattery))]);
    until(&mut client, "ups-a", "ups.status", "OB DISCHRG").await;
    assert!(client.list_var("grid").await.is_err());
}

#[tokio::test]
async fn thresholds_that_a_client_set_decide_what_is_low() {
    let (board, _orders, mut client) = site().await;
    client
        .credentials("supervisor", "supervisor")
        .await
        .unwrap();
    board.publish([("ups-a".to_string(), ups(ReadingStatus::OnBattery))]);
    until(&mut client, "ups-a", "ups.status", "OB DISCHRG").await;
    client
        .set_var("ups-a", "battery.charge.low", "60")
        .await
        .unwrap();
    until(&mut client, "ups-a", "ups.status", "OB DISCHRG LB").await;
}

#[tokio::test]
async fn orders_reach_the_device_and_their_end_the_client() {
    let (_board, mut orders, mut client) = site().await;
    client
        .credentials("supervisor", "supervisor")
        .await
        .unwrap();
    client.track().await.unwrap();
    until(&mut client, "ups-a", "ups.status", "OL").await;
    let id = client
        .instcmd("ups-a", "load.off", None)
        .await
        .unwrap()
        .unwrap();
    let order = orders.recv().await.unwrap();
    assert_eq!(order.command, DeviceCommand::Output { on: false });
    assert_eq!(client.tracking(&id).await.unwrap(), "PENDING");
    order.done.send(Ok(())).unwrap();
    let ended = async {
        while client.tracking(&id).await.unwrap() == "PENDING" {}
        client.tracking(&id).await.unwrap()
    };
    assert_eq!(timeout(WAIT, ended).await.unwrap(), "SUCCESS");
    let id = client
        .instcmd("ups-a", "bypass.start", None)
        .await
        .unwrap()
        .unwrap();
    let order = orders.recv().await.unwrap();
    order
        .done
        .send(Err(CommandError::Refused("no".into())))
        .unwrap();
    let failed = async {
        loop {
            match client.tracking(&id).await {
                Ok(word) if word == "PENDING" => {}
                other => return other,
            }
        }
    };
    let end = timeout(WAIT, failed).await.unwrap();
    assert!(matches!(end, Err(ClientError::Refused(code)) if code == "FAILED"));
}

#[tokio::test]
async fn telemetry_fails_as_nut_says_it() {
    let (board, _orders, mut client) = site().await;
    until(&mut client, "ups-a", "ups.status", "OL").await;
    let distort = |how: Distortion, devices: &[&str]| {
        board.distort(
            1,
            Distorted {
                how,
                protocols: vec![Protocol::Nut],
                devices: devices.iter().map(|d| (*d).to_string()).collect(),
            },
        );
    };
    distort(Distortion::Stale, &["ups-a"]);
    refused(&mut client, "DATA-STALE").await;
    distort(Distortion::Lost, &["ups-a"]);
    refused(&mut client, "DRIVER-NOT-CONNECTED").await;
    let by = crate::units::Span::from_millis(400);
    distort(Distortion::Slow { by }, &["ups-a"]);
    sleep(Duration::from_millis(50)).await;
    let asked = tokio::time::Instant::now();
    client.list_var("ups-a").await.unwrap();
    assert!(asked.elapsed() >= by.duration(), "{:?}", asked.elapsed());
    distort(Distortion::Lost, &[]);
    sleep(Duration::from_millis(50)).await;
    let silent = timeout(Duration::from_millis(300), client.list_var("ups-a")).await;
    assert!(silent.is_err(), "a lost agent answered: {silent:?}");
}

async fn refused(client: &mut NutClient, code: &str) {
    let reached = async {
        loop {
            match client.list_var("ups-a").await {
                Err(ClientError::Refused(said)) if said == code => return,
                _ => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(WAIT, reached).await.expect(code);
}
