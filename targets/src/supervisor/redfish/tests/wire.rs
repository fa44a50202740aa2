//! Over real connections.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::*;
use crate::net::{HostNet, Net, SocketOptions};
use crate::supervisor::redfish::run_redfish_on;
use crate::supervisor::web::WebLimits;
use crate::telemetry::{Board, Reading};

async fn serve(web: WebLimits) -> (Board, u16, JoinSet<()>) {
    let (board, orders) = fixture::board();
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await.unwrap();
    let port = listener.local_addr().port();
    let config = RedfishConfig {
        web,
        ..RedfishConfig::default()
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(fixture::drive(board.clone(), orders));
    tasks.spawn(run_redfish_on(board.clone(), config, listener));
    (board, port, tasks)
}

async fn get(port: u16, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {ADMIN}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until the text is there.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut got = String::new();
    let mut buffer = [0; 4096];
    let read = async {
        while !got.contains(text) {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "it ended at {got}");
            got.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    timeout(Duration::from_secs(10), read).await.expect(text);
    got
}

#[tokio::test]
async fn a_thousand_idle_connections_stall_nobody() {
    let (_board, port, _tasks) = serve(WebLimits::default()).await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let asked = Instant::now();
    until(&mut get(port, "/redfish/v1/Systems").await, "gpu-2").await;
    assert!(asked.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_client_that_sends_no_head_is_dropped() {
    let web = WebLimits {
        head_patience: Span::from_millis(100),
        ..WebLimits::default()
    };
    let (_board, port, _tasks) = serve(web).await;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream
        .write_all(b"GET /redfish HTTP/1.1\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    timeout(Duration::from_secs(5), ended)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_event_is_on_the_stream_at_once() {
    let (board, port, _tasks) = serve(WebLimits::default()).await;
    let mut stream = get(port, "/redfish/v1/EventService/SSE").await;
    until(&mut stream, ": ridethrough").await;
    let mut waits = Vec::new();
    for round in 0..100 {
        let mut pdu = fixture::pdu();
        pdu.outlets[0].on = round % 2 == 1;
        let told = Instant::now();
        board.publish([("pdu-a".to_string(), Reading::Pdu(pdu))]);
        until(&mut stream, "\n\n").await;
        waits.push(told.elapsed());
    }
    waits.sort();
    println!("median {:?}, 99 of 100 within {:?}", waits[50], waits[98]);
    assert!(waits[50] < Duration::from_millis(5), "{:?}", waits[50]);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped() {
    let web = WebLimits {
        write_patience: Span::from_millis(200),
        ..WebLimits::default()
    };
    let (_board, port, _tasks) = serve(web).await;
    let mut stream = get(port, "/redfish/v1/").await;
    let request = "GET /redfish/v1/$metadata HTTP/1.1\r\nhost: x\r\n\r\n";
    let ask = async { while stream.write_all(request.as_bytes()).await.is_ok() {} };
    timeout(Duration::from_secs(20), ask).await.unwrap();
}

#[tokio::test]
async fn streams_are_bounded_and_a_slow_one_is_dropped() {
    let web = WebLimits {
        streams: 2,
        stream_patience: Span::from_millis(200),
        ..WebLimits::default()
    };
    let (board, port, _tasks) = serve(web).await;
    let mut slow = get(port, "/redfish/v1/EventService/SSE").await;
    until(&mut slow, ": ridethrough").await;
    let mut other = get(port, "/redfish/v1/EventService/SSE").await;
    until(&mut other, ": ridethrough").await;
    let mut third = get(port, "/redfish/v1/EventService/SSE").await;
    until(&mut third, "503").await;
    drop(other);
    // The slow one reads nothing: its buffers fill, and it is dropped.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut on = false;
    loop {
        for _ in 0..200 {
            let mut pdu = fixture::pdu();
            pdu.outlets.iter_mut().for_each(|outlet| outlet.on = on);
            on = !on;
            board.publish([("pdu-a".to_string(), Reading::Pdu(pdu))]);
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut probe = get(port, "/redfish/v1/EventService/Subscriptions").await;
        if until(&mut probe, "Members\"").await.contains("count\":0") {
            break;
        }
        assert!(Instant::now() < deadline, "it is still there");
    }
}
