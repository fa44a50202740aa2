//! A browser that stays open and is asked what it shows: a page that is fed by its
//! server is never finished, so there is no moment at which it could be written down.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "browsers live in real time"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::run::folder;

const PATIENCE: Duration = Duration::from_secs(40);

/// A Chromium with one page.
pub(crate) struct Browser {
    child: Child,
    socket: TcpStream,
    number: u64,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Opens a page.
    pub(crate) fn open(url: &str) -> Result<Self, String> {
        let profile = folder()?;
        let mut child = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        // It writes down where it can be asked.
        let at = profile.path().join("DevToolsActivePort");
        match connect(&at) {
            Ok(socket) => Ok(Self {
                child,
                socket,
                number: 0,
                _profile: profile,
            }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// What an expression is in the page, where it is a text.
    pub(crate) fn text(&mut self, expression: &str) -> Result<Option<String>, String> {
        self.number += 1;
        let parameters = json!({"expression": expression, "returnByValue": true});
        let number = self.number;
        let ask = json!({"id": number, "method": "Runtime.evaluate", "params": parameters});
        send(&mut self.socket, &ask.to_string()).map_err(|e| e.to_string())?;
        loop {
            let frame = receive(&mut self.socket).map_err(|e| e.to_string())?;
            let answer: Value = serde_json::from_slice(&frame).unwrap_or_default();
            if answer["id"] == number {
                let value = &answer["result"]["result"]["value"];
                return Ok(value.as_str().map(str::to_string));
            }
        }
    }
}

fn connect(at: &std::path::Path) -> Result<TcpStream, String> {
    let begun = Instant::now();
    loop {
        if let Some(socket) = attempt(at) {
            return Ok(socket);
        }
        if begun.elapsed() > PATIENCE {
            return Err("the browser cannot be asked".into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn attempt(at: &std::path::Path) -> Option<TcpStream> {
    let text = std::fs::read_to_string(at).ok()?;
    let address = format!("127.0.0.1:{}", text.lines().next()?);
    let mut list = TcpStream::connect(&address).ok()?;
    list.set_read_timeout(Some(PATIENCE)).ok()?;
    let head = format!("GET /json/list HTTP/1.1\r\nhost: {address}\r\n\r\n");
    list.write_all(head.as_bytes()).ok()?;
    let answer = head_of(&mut list)?;
    let length = answer.to_lowercase();
    let length = length.split("content-length:").nth(1)?.lines().next()?;
    let mut body = vec![0; length.trim().parse().ok()?];
    list.read_exact(&mut body).ok()?;
    let pages: Value = serde_json::from_slice(&body).ok()?;
    let page = pages.as_array()?.iter().find(|p| p["type"] == "page")?;
    let url = page["webSocketDebuggerUrl"].as_str()?;
    let path = url.split_once(&address)?.1;
    let mut socket = TcpStream::connect(&address).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).ok()?;
    let answer = head_of(&mut socket)?;
    answer.starts_with("HTTP/1.1 101").then_some(socket)
}

/// The head of an answer, and not a byte more.
fn head_of(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// One text frame of a WebSocket (RFC 6455), masked with zeros.
fn send(socket: &mut TcpStream, text: &str) -> std::io::Result<()> {
    let length = text.len() as u64;
    let mut frame = vec![0x81, 0x80 | 127];
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    socket.write_all(&frame)
}

fn receive(socket: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut head = [0; 2];
        socket.read_exact(&mut head)?;
        let length = match head[1] & 127 {
            126 => {
                let mut length = [0; 2];
                socket.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                socket.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let from = message.len();
        message.resize(from + length as usize, 0);
        socket.read_exact(&mut message[from..])?;
        // The last frame of a message says so.
        if head[0] & 0x80 != 0 {
            return Ok(message);
        }
    }
}
