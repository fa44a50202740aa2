//! What a peer may say to each protocol's server or client. Each function takes
//! the bytes of one peer, and panics where an answer is none of the protocol.
//!
//! Time is paused: what waits for a peer gives up at once.

#[path = "../../src/supervisor/redfish/tests/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod wire;

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use ridethrough_targets as targets;
use tokio::io::DuplexStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use targets::net::Listener;
use targets::supervisor::metrics::{MetricsConfig, run_metrics_on};
use targets::supervisor::nut::NutClient;
use targets::supervisor::redfish::{RedfishConfig, run_redfish_on};
use targets::supervisor::snmp::{
    AuthProtocol, PrivProtocol, SnmpConfig, TrapSink, UsmUser, run_snmp_on,
};
use targets::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use targets::supervisor::{NutAgentConfig, nut_on};
use targets::telemetry::Board;
use wire::{HERE, OneClient, Parrot, Queues, talk};

/// Longer than any server bears with a client that has closed its side, but for
/// a stream of events that it still reads; in paused time.
const LONG: Duration = Duration::from_secs(120);

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime without input or output")
}

/// What a client hears that says this to a server over the small site, and
/// whether the server ended it.
fn heard<F>(bytes: &[u8], serve: impl FnOnce(Board, Box<dyn Listener>) -> F) -> (Vec<u8>, bool)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime().block_on(async {
        let (board, orders) = fixture::board();
        let (listener, client): (_, DuplexStream) = OneClient::pair();
        tokio::spawn(fixture::drive(board.clone(), orders));
        tokio::spawn(serve(board, listener));
        talk(client, bytes, LONG).await
    })
}

/// Lines to the NUT agent.
pub fn nut_server(bytes: &[u8]) {
    let (answer, ended) = heard(bytes, |board, listener| {
        nut_on(board, NutAgentConfig::default(), listener, 1)
    });
    assert!(ended, "it holds a client that has left");
    let text = std::str::from_utf8(&answer).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    let first = |line: &str| line.split(' ').next().map(str::to_string);
    for line in text.lines() {
        assert!(first(line).is_some_and(|word| !word.is_empty()), "{text:?}");
    }
}

/// A NUT server's answers to our client.
pub fn nut_client(bytes: &[u8]) {
    runtime().block_on(async {
        let net = Parrot(bytes.to_vec());
        let connect = NutClient::connect(&net, "ups", 3_493, LONG);
        let Ok(mut client) = connect.await else {
            return;
        };
        let _ = client.credentials("supervisor", "supervisor").await;
        let _ = client.list_ups().await;
        let _ = client.list_var("ups-a").await;
        let _ = client.list_rw("ups-a").await;
        let _ = client.list_cmd("ups-a").await;
        let _ = client.list_enum("ups-a", "input.sensitivity").await;
        let _ = client.list_range("ups-a", "battery.charge.low").await;
        let _ = client.get_var("ups-a", "ups.status").await;
        let _ = client.get_type("ups-a", "ups.status").await;
        let _ = client.num_logins("ups-a").await;
        let _ = client.track().await;
        let _ = client.instcmd("ups-a", "load.off", Some("x")).await;
        client.logout().await;
    });
}

/// An SNMP agent that runs on: its keys take long to make.
struct SnmpSite {
    runtime: Runtime,
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
}

impl SnmpSite {
    fn start() -> Self {
        let runtime = runtime();
        let (to, inbox) = channel(1);
        let (outbox, from) = channel(64);
        let user = |name: &str, auth, privacy| UsmUser {
            name: name.into(),
            auth,
            auth_password: "supervisor".into(),
            privacy,
            priv_password: "supervisor".into(),
            write: true,
        };
        let config = SnmpConfig {
            users: vec![
                user("open", None, None),
                user(
                    "closed",
                    Some(AuthProtocol::Sha1),
                    Some(PrivProtocol::Aes128),
                ),
            ],
            traps: vec![TrapSink {
                host: HERE.ip().to_string(),
                ..TrapSink::default()
            }],
            ..SnmpConfig::default()
        };
        runtime.block_on(async {
            let (board, orders) = fixture::board();
            tokio::spawn(fixture::drive(board.clone(), orders));
            let socket = Queues {
                inbox: inbox.into(),
                outbox,
            };
            tokio::spawn(run_snmp_on(board, config, Box::new(socket)));
        });
        Self { runtime, to, from }
    }

    /// Every answer to a datagram, traps among them.
    fn answers(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Self { runtime, to, from } = self;
        runtime.block_on(async {
            to.send(bytes.to_vec()).await.expect("the agent has ended");
            let mut answers = Vec::new();
            while let Ok(Some(answer)) = timeout(Duration::from_millis(50), from.recv()).await {
                answers.push(answer);
            }
            answers
        })
    }
}

/// A datagram to the SNMP agent.
pub fn snmp_agent(bytes: &[u8]) {
    thread_local! {
        static SITE: RefCell<SnmpSite> = RefCell::new(SnmpSite::start());
    }
    for answer in SITE.with_borrow_mut(|site| site.answers(bytes)) {
        assert!(is_sequence(&answer), "{answer:02x?}");
    }
}

/// Whether it is one BER sequence of the length that it says.
fn is_sequence(bytes: &[u8]) -> bool {
    let (length, rest) = match bytes {
        [0x30, short @ 0..=127, rest @ ..] => (usize::from(*short), rest),
        [0x30, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x82, high, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return false,
    };
    length == rest.len()
}

/// Frames to the Modbus server.
pub fn modbus_server(bytes: &[u8]) {
    let (answer, ended) = heard(bytes, |board, listener| {
        run_sunspec_on(board, SunspecConfig::default(), listener)
    });
    assert!(ended, "it holds a client that has left");
    let mut rest = &answer[..];
    while !rest.is_empty() {
        let [_, _, 0, 0, high, low, ..] = rest else {
            panic!("no head in {rest:02x?}");
        };
        let length = 6 + usize::from(u16::from_be_bytes([*high, *low]));
        assert!((8..=260).contains(&length), "{length} bytes");
        rest = &rest[length..];
    }
}

/// Requests to the Redfish service.
pub fn redfish_server(bytes: &[u8]) {
    let (answer, _) = heard(bytes, |board, listener| {
        run_redfish_on(board, RedfishConfig::default(), listener)
    });
    http(&answer);
}

/// Requests to the page of metrics.
pub fn metrics_server(bytes: &[u8]) {
    let (answer, _) = heard(bytes, |board, listener| {
        run_metrics_on(board, MetricsConfig::default(), listener)
    });
    http(&answer);
}

fn http(answer: &[u8]) {
    let head = String::from_utf8_lossy(&answer[..answer.len().min(64)]).into_owned();
    assert!(answer.is_empty() || head.starts_with("HTTP/1."), "{head}");
    assert!(!head.contains(" 500 "), "{head}");
}
