//! What it costs a Compose project to be put on the fabric: the longest gap that
//! its clients see, and throughput and round trips between two of its containers
//! against the bridge that they were on.
//!
//! Needs root, a Docker engine, `docker-compose` and `curl`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    dead_code,
    reason = "a benchmark measures real time"
)]

#[path = "../tests/attach/project.rs"]
mod project;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};

use project::{Project, engine};

/// How often each container is asked.
const EVERY: Duration = Duration::from_millis(2);

/// How long bytes are sent for.
const LENGTH: Duration = Duration::from_secs(2);

const ROUND_TRIPS: usize = 2_000;

const CALM: &str = "phases: {all: 14s}\nassert:\n  - nodes: {lost_at_most: 0}\n";

fn main() -> Result<(), String> {
    let more: String = (3..=9)
        .map(|n| {
            format!(
                "  gpu-{n}:\n    image: IMAGE\n    command: [serve, replica, --port, '8000']\n    \
                 labels: {{ridethrough.rack: r2, ridethrough.port: '8000'}}\n"
            )
        })
        .collect();
    let project = Project::up("bench", &more)?;
    project.serves()?;
    let names: Vec<String> = (1..=9).map(|n| format!("gpu-{n}")).collect();
    let all: Vec<String> = std::iter::once("gateway".to_string())
        .chain(names)
        .collect();
    let addresses: Result<Vec<String>, String> =
        all.iter().map(|service| project.address(service)).collect();
    let addresses = addresses?;
    let before = pair(&project)?;
    let calm = watch(&addresses, || {
        std::thread::sleep(Duration::from_secs(8));
        Ok(())
    })?;
    let playbook = project.playbook(CALM)?;
    let mut during = None;
    let attached = watch(&addresses, || {
        let mut command = project.run(&playbook);
        let run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut run = run.map_err(|error| error.to_string())?;
        until_phase(run.stderr.take().ok_or("no stderr")?)?;
        during = Some(pair(&project)?);
        run.wait().map_err(|error| error.to_string())?;
        Ok(())
    })?;
    let during = during.ok_or("never attached")?;
    let after = pair(&project)?;
    println!(
        "requests to ten containers, one each every {} ms",
        EVERY.as_millis()
    );
    println!("  left alone       {calm}");
    println!("  attach to detach {attached}");
    println!("between two of them");
    println!("  bridge, before   {before}");
    println!("  fabric           {during}");
    println!("  bridge, after    {after}");
    let median = before.us.min(after.us);
    println!(
        "  throughput {:.2} of the bridge's, {:+.1} us a round trip",
        during.gbit / before.gbit.max(after.gbit),
        during.us - median
    );
    Ok(())
}

/// Reads until the run's first phase begins.
fn until_phase(mut stderr: impl Read + Send + 'static) -> Result<(), String> {
    let (mut seen, mut buffer) = (String::new(), [0; 512]);
    while !seen.contains("phase") {
        match stderr.read(&mut buffer) {
            Ok(0) | Err(_) => return Err(format!("the run ended: {seen}")),
            Ok(n) => seen.push_str(&String::from_utf8_lossy(&buffer[..n])),
        }
    }
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    Ok(())
}

/// What clients saw.
struct Seen {
    answered: usize,
    failed: usize,
    gap: Duration,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gap = self.gap.as_secs_f64() * 1e3;
        let (answered, failed) = (self.answered, self.failed);
        write!(
            f,
            "{answered} answered, {failed} failed, longest gap {gap:.1} ms"
        )
    }
}

/// Asks every container all the while that something goes on.
fn watch(
    addresses: &[String],
    meanwhile: impl FnOnce() -> Result<(), String>,
) -> Result<Seen, String> {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<JoinHandle<Seen>> = addresses
        .iter()
        .map(|address| {
            let (address, stop) = (address.clone(), Arc::clone(&stop));
            std::thread::spawn(move || client(&address, &stop))
        })
        .collect();
    let done = meanwhile();
    stop.store(true, Ordering::Relaxed);
    let mut all = Seen {
        answered: 0,
        failed: 0,
        gap: Duration::ZERO,
    };
    for client in clients {
        let seen = client.join().map_err(|_| "a client is gone")?;
        all.answered += seen.answered;
        all.failed += seen.failed;
        all.gap = all.gap.max(seen.gap);
    }
    done.map(|()| all)
}

fn client(address: &str, stop: &AtomicBool) -> Seen {
    let mut seen = Seen {
        answered: 0,
        failed: 0,
        gap: Duration::ZERO,
    };
    let mut last = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        match ask(address) {
            Ok(()) => {
                seen.answered += 1;
                seen.gap = seen.gap.max(last.elapsed());
                last = Instant::now();
            }
            Err(_) => seen.failed += 1,
        }
        std::thread::sleep(EVERY);
    }
    seen
}

fn ask(address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((address, 8000))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    match answer.starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(std::io::ErrorKind::InvalidData.into()),
    }
}

/// Two containers' way to each other.
struct Way {
    gbit: f64,
    us: f64,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (gbit, us) = (self.gbit, self.us);
        write!(
            f,
            "{gbit:.2} Gbit/s, {us:.1} us a round trip (median of {ROUND_TRIPS})"
        )
    }
}

fn pair(project: &Project) -> Result<Way, String> {
    let there: Ipv4Addr = project
        .address("gpu-2")?
        .parse()
        .map_err(|_| "no address".to_string())?;
    let server = inside(project, "gpu-2", move || serve(9))?;
    let client = inside(project, "gpu-1", move || measure((there, 9).into()))?;
    let way = client.join().map_err(|_| "the client is gone")??;
    server.join().map_err(|_| "the server is gone")??;
    Ok(way)
}

/// Runs on a thread of its own in a container's network.
fn inside<T: Send + 'static>(
    project: &Project,
    service: &str,
    run: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<JoinHandle<Result<T, String>>, String> {
    let pid = engine(&[
        "inspect",
        "-f",
        "{{.State.Pid}}",
        &project.container(service),
    ])?;
    Ok(std::thread::spawn(move || {
        let text = |error: std::io::Error| error.to_string();
        let net = File::open(format!("/proc/{pid}/ns/net")).map_err(text)?;
        setns(net, CloneFlags::CLONE_NEWNET).map_err(|error| error.to_string())?;
        run().map_err(text)
    }))
}

/// Takes bytes from one connection, and echoes on the next.
fn serve(port: u16) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    let (mut bulk, _) = listener.accept()?;
    let mut buffer = vec![0; 1 << 18];
    let mut taken = 0_u64;
    let begun = Instant::now();
    loop {
        match bulk.read(&mut buffer)? {
            0 => break,
            count => taken += count as u64,
        }
    }
    let (mut echo, _) = listener.accept()?;
    echo.set_nodelay(true)?;
    let bits = taken as f64 * 8.0 / begun.elapsed().as_secs_f64();
    echo.write_all(&bits.to_be_bytes())?;
    let mut byte = [0; 1];
    while echo.read(&mut byte)? == 1 {
        echo.write_all(&byte)?;
    }
    Ok(())
}

fn measure(there: SocketAddr) -> std::io::Result<Way> {
    let begun = Instant::now();
    let mut bulk = loop {
        match TcpStream::connect(there) {
            Ok(stream) => break stream,
            Err(error) if begun.elapsed() > LENGTH => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let bytes = vec![7; 1 << 18];
    let begun = Instant::now();
    while begun.elapsed() < LENGTH {
        bulk.write_all(&bytes)?;
    }
    drop(bulk);
    let mut echo = TcpStream::connect(there)?;
    echo.set_nodelay(true)?;
    let mut bits = [0; 8];
    echo.read_exact(&mut bits)?;
    let mut trips: Vec<f64> = Vec::with_capacity(ROUND_TRIPS);
    let mut byte = [1];
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        echo.write_all(&byte)?;
        echo.read_exact(&mut byte)?;
        trips.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    trips.sort_by(f64::total_cmp);
    Ok(Way {
        gbit: f64::from_be_bytes(bits) / 1e9,
        us: trips[ROUND_TRIPS / 2],
    })
}
