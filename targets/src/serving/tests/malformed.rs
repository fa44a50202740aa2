//! Bytes that are no requests, beside a client that behaves.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::breaks::free_ports;
use super::stack::{Stack, expected, gateway_config, replica_config};
use crate::net::{HostNet, Net, SocketOptions};
use crate::serving::GatewayMode;

async fn throw(net: Arc<dyn Net>, port: u16, bytes: Vec<u8>) {
    let Ok(mut conn) = net
        .connect("localhost", port, SocketOptions::default())
        .await
    else {
        panic!("the server must still accept");
    };
    // The server may hang up on nonsense at any point.
    let _ = conn.io.write_all(&bytes).await;
    let _ = conn.io.shutdown().await;
    let mut answer = Vec::new();
    let read = conn.io.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..400);
    let almost = r#"\{"(messages|prompt)":(\[|\{|"|[0-9]|null){1,5}[a-z":,\]\}]{0,20}"#;
    let json = r#"\{"messages":\[\{"role":"user","content":"[a-z ]{0,9}"\}\],"(max_tokens|n|seed|stream)":(-1|1|0|4294967296|"x"|true|\[\])\}"#;
    prop_oneof![
        bytes.clone(),
        bytes.prop_map(|body| request("/v1/chat/completions", &body)),
        almost.prop_map(|body| request("/v1/completions", body.as_bytes())),
        json.prop_map(|body| request("/v1/chat/completions", body.as_bytes())),
        Just(request(
            "/v1/chat/completions",
            "[".repeat(20_000).as_bytes()
        )),
        Just([b"GET / HTTP/1.1\r\nx: ".to_vec(), vec![b'y'; 100_000]].concat()),
    ]
}

#[tokio::test]
async fn nonsense_takes_no_server_down() {
    let net: Arc<dyn Net> = Arc::new(HostNet::loopback());
    let mut stack = Stack::over(Arc::clone(&net));
    let ports = free_ports(2).await;
    let mut replica = stack.replica("gpu-1", replica_config(ports[0], None));
    replica.ready().await;
    let mut config = gateway_config(GatewayMode::Full, &ports[..1]);
    config.port = ports[1];
    let mut gateway = stack.gateway(config);
    gateway.ready().await;
    let mut runner = TestRunner::new(Config::default());
    let strategy = prop::collection::vec(nonsense(), 4);
    for _ in 0..16 {
        let batch = strategy.new_tree(&mut runner).expect("strategy").current();
        let throws = batch.into_iter().enumerate().map(|(n, bytes)| {
            let port = ports[n % 2];
            tokio::spawn(throw(Arc::clone(&net), port, bytes))
        });
        let throws: Vec<_> = throws.collect();
        stack.chat(ports[1], 3).await.assert_exact(&expected(0, 3));
        for thrown in throws {
            thrown.await.expect("thrown");
        }
    }
    assert!(!gateway.task.is_finished() && !replica.task.is_finished());
}
