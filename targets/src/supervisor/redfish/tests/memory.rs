//! The whole service in virtual time, over streams in memory.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::*;
use crate::net::{Conn, Listener};
use crate::supervisor::redfish::Redfish;
use crate::telemetry::{Board, Reading};

struct Memory(UnboundedReceiver<DuplexStream>);

const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 1);

#[async_trait]
impl Listener for Memory {
    async fn accept(&mut self) -> io::Result<Conn> {
        let Some(stream) = self.0.recv().await else {
            return std::future::pending().await;
        };
        Ok(Conn {
            io: Box::new(stream),
            local: NOWHERE.into(),
            peer: NOWHERE.into(),
        })
    }

    fn local_addr(&self) -> SocketAddr {
        NOWHERE.into()
    }
}

fn serve() -> (Board, UnboundedSender<DuplexStream>, JoinSet<()>) {
    let (board, orders) = fixture::board();
    let (door, inbox) = unbounded_channel();
    let service = Redfish::new(board.clone(), RedfishConfig::default());
    let mut tasks = JoinSet::new();
    tasks.spawn(fixture::drive(board.clone(), orders));
    tasks.spawn(service.serve(Box::new(Memory(inbox))));
    (board, door, tasks)
}

async fn get(door: &UnboundedSender<DuplexStream>, path: &str) -> DuplexStream {
    let (mut near, far) = duplex(1 << 16);
    door.send(far).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {ADMIN}\r\n\r\n");
    near.write_all(request.as_bytes()).await.unwrap();
    near
}

async fn until(stream: &mut DuplexStream, text: &str) {
    let mut got = String::new();
    let mut buffer = [0; 4096];
    while !got.contains(text) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "it ended at {got}");
        got.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_and_events_take_no_virtual_time() {
    let (board, door, mut tasks) = serve();
    let began = Instant::now();
    until(&mut get(&door, "/redfish/v1/Systems").await, "gpu-2").await;
    let mut stream = get(&door, "/redfish/v1/EventService/SSE").await;
    until(&mut stream, ": ridethrough").await;
    let mut pdu = fixture::pdu();
    pdu.outlets[0].on = false;
    board.publish([("pdu-a".to_string(), Reading::Pdu(pdu))]);
    until(&mut stream, "OutletPoweredOff").await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    // Without events a stream shows that it lives.
    until(&mut stream, ": alive").await;
    assert_eq!(began.elapsed(), Duration::from_secs(15));
    tasks.abort_all();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
}
