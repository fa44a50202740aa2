//! How fast the SNMP agent is, beside snmpsim, and how soon a change at a
//! device is heard: `cargo bench -p ridethrough-targets --bench snmp`, with
//! `SNMPSIM` the path of a `snmpsim-command-responder` (run as root: it wants a
//! user to run as, and is given root).
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::{HostNet, Net};
use ridethrough_targets::supervisor::snmp::{SnmpConfig, TrapMib, TrapSink, run_snmp_on};
use ridethrough_targets::telemetry::{Board, Identity, Reading, ReadingStatus, UpsReading};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
/// Changes of which the slowest hundredth is looked at.
const CHANGES: usize = 1_000;
const BAR_MS: f64 = 5.0;
const BAR_RATIO: f64 = 10.0;

/// GET of `upsOutputSource` in v2c; the last byte of its answer is the value.
const GET: &[u8] = b"\x30\x2b\x02\x01\x01\x04\x06public\xa0\x1e\x02\x04\x01\x02\x03\x04\
    \x02\x01\x00\x02\x01\x00\x30\x10\x30\x0e\x06\x0a\x2b\x06\x01\x02\x01\x21\x01\x04\x01\x00\
    \x05\x00";
const RECORD: &str = "1.3.6.1.2.1.33.1.4.1.0|2|3\n";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let measured = runtime
        .map_err(Into::into)
        .and_then(|r| r.block_on(measure()));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<()> {
    let sink = UdpSocket::bind("127.0.0.1:0").await?;
    let (board, agent) = agent(sink.local_addr()?.port())?;
    let simulator = Simulator::start().await?;
    for requesters in [1, 32] {
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..ROUNDS {
            ours.push(rate(agent, requesters).await?);
            if let Some(simulator) = &simulator {
                theirs.push(rate(simulator.address, requesters).await?);
            }
        }
        print!("GETs/s, {requesters} requesters: {:.0}", median(&mut ours));
        match theirs.is_empty() {
            true => println!(" (no SNMPSIM)"),
            false => {
                let ratio = median(&mut ours) / median(&mut theirs);
                let held = if ratio >= BAR_RATIO { "ok" } else { "under" };
                println!(
                    "; snmpsim {:.0}; ratio {ratio:.1} (bar {BAR_RATIO}) {held}",
                    median(&mut theirs)
                );
            }
        }
    }
    drop(simulator);
    delays("change to reader", readers(&board, agent).await?);
    delays("change to trap", traps(&board, &sink).await?);
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn delays(what: &str, mut ms: Vec<f64>) {
    let middle = median(&mut ms);
    let p99 = ms.get(ms.len() * 99 / 100).copied().unwrap_or(f64::NAN);
    let worst = ms.last().copied().unwrap_or(f64::NAN);
    let held = if p99 <= BAR_MS { "ok" } else { "over" };
    println!(
        "{what}: median {middle:.3} ms, p99 {p99:.3} ms, worst {worst:.3} ms (bar {BAR_MS}) {held}"
    );
}

/// An agent on a thread of its own.
fn agent(sink: u16) -> Result<(Board, SocketAddr)> {
    let (board, _) = Board::new(Clock::start(), vec![Identity::new("ups-a", "ups", "")]);
    publish(&board, ReadingStatus::OnLine);
    let config = SnmpConfig {
        traps: vec![TrapSink {
            port: sink,
            mib: TrapMib::Powernet,
            ..TrapSink::default()
        }],
        ..SnmpConfig::default()
    };
    let (told, address) = std::sync::mpsc::channel();
    let of_agent = board.clone();
    std::thread::spawn(move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let datagram = HostNet::loopback().bind_udp(0).await?;
            let _ = told.send(datagram.local_addr());
            run_snmp_on(of_agent, config, datagram).await;
            Ok(())
        })
    });
    Ok((board, address.recv()?))
}

fn publish(board: &Board, status: ReadingStatus) {
    let reading = Reading::Ups(UpsReading {
        status,
        input_v: 230.0,
        output_v: 230.0,
        runtime_s: 600.0,
        ..UpsReading::default()
    });
    board.publish([("ups-a".to_string(), reading)]);
}

/// `snmpsim-command-responder` with the one object that is asked for.
struct Simulator {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Simulator {
    async fn start() -> Result<Option<Self>> {
        let Some(program) = std::env::var_os("SNMPSIM") else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .tempdir()?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        std::fs::write(data.join("public.snmprec"), RECORD)?;
        let port = UdpSocket::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut command = Command::new(program);
        command
            .arg(format!("--data-dir={}", data.display()))
            .arg(format!(
                "--cache-dir={}",
                folder.path().join("cache").display()
            ))
            .arg(format!("--agent-udpv4-endpoint=127.0.0.1:{port}"))
            .args(["--process-user=root", "--process-group=root"])
            .args(["--log-level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let simulator = Self {
            process: command.spawn()?,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            _folder: folder,
        };
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            if ask(&socket, simulator.address).await.is_ok() {
                return Ok(Some(simulator));
            }
        }
        Err("snmpsim does not answer".into())
    }
}

/// One GET; the value in its answer.
async fn ask(socket: &UdpSocket, to: SocketAddr) -> Result<u8> {
    let mut buffer = [0; 512];
    socket.send_to(GET, to).await?;
    let received = timeout(Duration::from_secs(1), socket.recv_from(&mut buffer));
    let (length, _) = received.await??;
    Ok(buffer[..length].last().copied().unwrap_or_default())
}

/// Answers a second that so many requesters get, each asking again at once.
async fn rate(to: SocketAddr, requesters: usize) -> Result<f64> {
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    let begin = Instant::now();
    for _ in 0..requesters {
        let over = Arc::clone(&over);
        tasks.push(tokio::spawn(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await.ok()?;
            let mut answers = 0u64;
            while !over.load(Ordering::Relaxed) {
                answers += u64::from(ask(&socket, to).await.is_ok());
            }
            Some(answers)
        }));
    }
    sleep(SPAN).await;
    over.store(true, Ordering::Relaxed);
    let mut answers = 0;
    for task in tasks {
        answers += task.await?.unwrap_or_default();
    }
    Ok(answers as f64 / begin.elapsed().as_secs_f64())
}

/// Milliseconds from a change to the first answer that shows it, of a reader
/// that asks again and again.
async fn readers(board: &Board, agent: SocketAddr) -> Result<Vec<f64>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut ms = Vec::with_capacity(CHANGES);
    for change in 0..CHANGES {
        let (status, value) = match change % 2 {
            0 => (ReadingStatus::OnBattery, 5),
            _ => (ReadingStatus::OnLine, 3),
        };
        let begin = Instant::now();
        publish(board, status);
        while ask(&socket, agent).await? != value {}
        ms.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(ms)
}

/// Milliseconds from a change to its trap.
async fn traps(board: &Board, sink: &UdpSocket) -> Result<Vec<f64>> {
    let mut buffer = [0; 512];
    // What was sent before.
    while timeout(Duration::from_millis(200), sink.recv_from(&mut buffer))
        .await
        .is_ok()
    {}
    let mut ms = Vec::with_capacity(CHANGES);
    for change in 0..CHANGES {
        let begin = Instant::now();
        publish(
            board,
            match change % 2 {
                0 => ReadingStatus::OnBattery,
                _ => ReadingStatus::OnLine,
            },
        );
        timeout(Duration::from_secs(5), sink.recv_from(&mut buffer)).await??;
        ms.push(begin.elapsed().as_secs_f64() * 1e3);
        sleep(Duration::from_millis(2)).await;
    }
    Ok(ms)
}
