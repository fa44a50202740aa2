//! Rude clients of the servers that listen for connections.

use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Failed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::site::Site;
use crate::{PATIENCE, PROMPT, check};

/// Clients that only connect.
const SILENT: usize = 1_000;
/// Clients that do more than that.
const RUDE: usize = 50;
/// What each of those says without an end.
const FLOOD: usize = 2 << 20;
/// How often the good client asks.
const ASKED: usize = 20;

/// A server, and what can be said to it.
pub(crate) struct Server {
    name: &'static str,
    address: SocketAddr,
    /// A question, and what is in its answer.
    question: &'static [u8],
    answer: &'static [u8],
    /// What is followed by anything but an end.
    beginnings: &'static [&'static [u8]],
}

const ROOT: &[u8] = b"GET /redfish/v1/ HTTP/1.1\r\nhost: x\r\n\r\n";
const METRICS: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
/// Reads 125 registers of unit 1.
const READ: &[u8] = &[0, 1, 0, 0, 0, 6, 1, 3, 0x9c, 0x40, 0, 125];
const HEADS: &[&[u8]] = &[
    b"GET /redfish/v1/ HTTP/1.1\r\nx-long: ",
    b"GET /",
    b"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nhost: x\r\n\
      content-type: application/json\r\ncontent-length: 100000000\r\n\r\n",
    b"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nhost: x\r\n\
      content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nffffff\r\n",
];

pub(crate) fn servers(site: &Site) -> [Server; 4] {
    let server = |name, address, question, answer, beginnings| Server {
        name,
        address,
        question,
        answer,
        beginnings,
    };
    [
        server(
            "NUT",
            site.nut,
            b"LIST VAR ups-a\n",
            b"END LIST VAR ups-a\n",
            &[b"LIST VAR ", b"USERNAME \""],
        ),
        // A read whose length is a lie, and a write that says so much.
        server(
            "Modbus",
            site.modbus,
            READ,
            b"SunS",
            &[&[0, 1, 0, 0, 0, 254, 1, 3], &[0, 1, 0, 0, 0, 254, 1, 16]],
        ),
        server("Redfish", site.redfish, ROOT, b"RootService", HEADS),
        server("metrics", site.metrics, METRICS, b"_volts", HEADS),
    ]
}

async fn connect(to: SocketAddr) -> Result<TcpStream, Failed> {
    let connected = timeout(PATIENCE, TcpStream::connect(to));
    Ok(connected.await.map_err(|_| "no connection")??)
}

/// A client that does as it should is answered promptly, on one connection and
/// on new ones.
pub(crate) async fn serves(server: &Server) -> Result<(), Failed> {
    let late = |_| format!("{} does not answer", server.name);
    let mut stream = connect(server.address).await?;
    for asked in 0..ASKED {
        if asked % 2 == 0 {
            stream = connect(server.address).await?;
        }
        let begin = Instant::now();
        stream.write_all(server.question).await?;
        let mut got = Vec::new();
        while !contains(&got, server.answer) {
            let read = timeout(PATIENCE, stream.read_buf(&mut got));
            let read = read.await.map_err(late)??;
            let text = String::from_utf8_lossy(&got);
            check(read > 0, format!("{} ended after {text}", server.name))?;
        }
        let took = begin.elapsed();
        let slow = format!("{} took {took:?}", server.name);
        check(took < PROMPT, slow)?;
        // The rest of an answer would be taken for the next one's.
        while timeout(Duration::from_millis(1), stream.read_buf(&mut got))
            .await
            .is_ok_and(|read| read.is_ok_and(|read| read > 0))
        {}
    }
    Ok(())
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Says it, as far as the server takes it.
async fn say(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = timeout(Duration::from_millis(20), stream.write_all(bytes)).await;
}

pub(crate) async fn silent(site: Site) -> Result<(), Failed> {
    for server in servers(&site) {
        let mut held = Vec::new();
        for _ in 0..SILENT {
            held.push(connect(server.address).await?);
        }
        serves(&server).await?;
    }
    Ok(())
}

pub(crate) async fn half(site: Site) -> Result<(), Failed> {
    for server in servers(&site) {
        let mut held = Vec::new();
        for number in 0..RUDE * 4 {
            let mut stream = connect(server.address).await?;
            let half = match number % 2 {
                0 => &server.question[..server.question.len() / 2],
                _ => server.beginnings[number / 2 % server.beginnings.len()],
            };
            say(&mut stream, half).await;
            held.push(stream);
        }
        serves(&server).await?;
    }
    Ok(())
}

pub(crate) async fn endless(site: Site) -> Result<(), Failed> {
    let flood = vec![b'x'; FLOOD];
    for server in servers(&site) {
        let mut held = Vec::new();
        for number in 0..RUDE {
            let mut stream = connect(server.address).await?;
            let beginning = server.beginnings[number % server.beginnings.len()];
            say(&mut stream, beginning).await;
            say(&mut stream, &flood).await;
            held.push(stream);
        }
        serves(&server).await?;
    }
    Ok(())
}

pub(crate) async fn deaf(site: Site) -> Result<(), Failed> {
    for server in servers(&site) {
        let questions = server.question.repeat(FLOOD / server.question.len());
        let mut held = Vec::new();
        for _ in 0..RUDE {
            let mut stream = connect(server.address).await?;
            say(&mut stream, &questions).await;
            held.push(stream);
        }
        serves(&server).await?;
    }
    Ok(())
}
