use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{MetricsConfig, run_metrics_on};
use crate::clock::Clock;
use crate::net::{HostNet, Net, SocketOptions};
use crate::telemetry::{Board, Distorted, Distortion, Identity, Protocol, Reading, UpsReading};

fn publish(board: &Board, charge: f64) {
    let ups = UpsReading {
        charge,
        ..UpsReading::default()
    };
    board.publish([("ups-a".to_string(), Reading::Ups(ups))]);
}

async fn serve(streams: usize) -> (Board, u16, JoinSet<()>) {
    let devices = ["ups-a", "ups-b"].map(|name| Identity::new(name, "ups", ""));
    let board = Board::new(Clock::start(), devices.to_vec()).0;
    publish(&board, 1.0);
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await.unwrap();
    let port = listener.local_addr().port();
    let mut config = MetricsConfig::default();
    config.limits.streams = streams;
    let mut tasks = JoinSet::new();
    tasks.spawn(run_metrics_on(board.clone(), config, listener));
    (board, port, tasks)
}

async fn ask(port: u16, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until the text is there; nothing where it never comes.
async fn until(stream: &mut TcpStream, text: &str) -> Option<String> {
    let mut got = String::new();
    let mut buffer = [0; 4096];
    let read = async {
        while !got.contains(text) {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "it ended at {got}");
            got.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    timeout(Duration::from_secs(5), read).await.ok()?;
    Some(got)
}

#[tokio::test]
async fn the_state_is_json() {
    let (_board, port, _tasks) = serve(4).await;
    let page = until(&mut ask(port, "GET", "/state").await, "]}")
        .await
        .unwrap();
    let state: Json = serde_json::from_str(page.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(state["devices"][0]["device"], "ups-a");
    assert_eq!(state["devices"][0]["kind"], "ups");
    assert_eq!(state["devices"][0]["reading"]["charge"], 1.0);
    assert_eq!(state["devices"].as_array().unwrap().len(), 1);
    for (method, path, status) in [("GET", "/x", "404"), ("POST", "/state", "405")] {
        until(&mut ask(port, method, path).await, status)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn changes_are_streamed_to_a_bounded_number() {
    let (board, port, _tasks) = serve(1).await;
    let mut stream = ask(port, "GET", "/state/stream").await;
    until(&mut stream, "\"charge\":1.0").await.unwrap();
    let mut second = ask(port, "GET", "/state/stream").await;
    until(&mut second, "503").await.unwrap();
    publish(&board, 0.5);
    let change = until(&mut stream, "\"charge\":0.5").await.unwrap();
    assert!(change.contains("event: change\nid: 2\n"), "{change}");
}

#[tokio::test]
async fn a_lost_agent_does_not_answer() {
    let (board, port, _tasks) = serve(1).await;
    let lost = Distorted {
        how: Distortion::Lost,
        protocols: vec![Protocol::Metrics],
        devices: Vec::new(),
    };
    board.distort(1, lost);
    let mut stream = ask(port, "GET", "/metrics").await;
    let mut byte = [0];
    let silence = timeout(Duration::from_millis(200), stream.read(&mut byte));
    assert!(silence.await.is_err());
}
