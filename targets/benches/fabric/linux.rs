//! What the switch costs, against a veth pair on the same machine in the same
//! run. Needs root: `cargo bench -p ridethrough-targets --bench fabric`.

#[path = "every.rs"]
mod every;
#[path = "../../tests/fabric/linux/node.rs"]
mod node;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SetSockOpt, recvmsg, sockopt};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId as Reading, clock_gettime};
use ridethrough_targets::clock::Clock;
use ridethrough_targets::fabric::{Switch, SwitchConfig};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Impairment, LinkRule};

use node::{MTU, Node};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ROUNDS: usize = 5;
const STREAM_US: u64 = 1_500_000;
const PINGS: usize = 5_000;
const DELAY_MS: u64 = 50;
/// Packets of one round of the delay.
const DELAYED: u32 = 20_000;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn main() -> Result<()> {
    if !nix::unistd::getuid().is_root() {
        println!("skipped: namespaces and veth pairs need root");
        return Ok(());
    }
    println!("{:<44} {:>12} {:>12} {:>8}", "", "fabric", "veth", "");
    let clock = Clock::start();
    versus_veth(clock)?;
    precise_delay(clock)?;
    every::every_rule(clock)?;
    power_cut(clock)?;
    Ok(())
}

fn switch(clock: Clock) -> io::Result<Switch> {
    Switch::start(SwitchConfig {
        seed: 1,
        clock,
        pcap: None,
        offload: true,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

/// Joins two nodes by a veth pair.
fn join_by_veth(a: &Node, b: &Node) -> Result<()> {
    let peer = b.run(nix::unistd::gettid).to_string();
    let words = |text: String| move || Command::new("ip").args(text.split(' ')).status();
    let up = |ip| format!("addr add {ip}/24 dev veth");
    let add = format!("link add veth mtu {MTU} type veth peer name veth mtu {MTU} netns {peer}");
    a.run(words(add))?;
    for node in [a, b] {
        node.run(words(up(node.ip)))?;
        node.run(words("link set veth up".into()))?;
    }
    Ok(())
}

fn versus_veth(clock: Clock) -> Result<()> {
    let (va, vb) = (Node::new(1)?, Node::new(2)?);
    join_by_veth(&va, &vb)?;
    let switch = switch(clock)?;
    let (fa, fb) = (Node::new(1)?, Node::new(2)?);
    fa.join(&switch, true)?;
    fb.join(&switch, true)?;
    // Alternating, so that both see the same machine.
    let (mut fabric, mut veth) = (Vec::new(), Vec::new());
    let (mut fabric_rtt, mut veth_rtt) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        veth.push(throughput(&va, &vb, clock)?);
        fabric.push(throughput(&fa, &fb, clock)?);
        veth_rtt.push(round_trip(&va, &vb, clock)?);
        fabric_rtt.push(round_trip(&fa, &fb, clock)?);
    }
    let ratio = median(fabric.iter().zip(&veth).map(|(f, v)| f / v).collect());
    let (f, v) = (median(fabric), median(veth));
    println!(
        "{:<44} {f:>12.2} {v:>12.2} {ratio:>7.2}x",
        "TCP throughput, Gbit/s (bar 0.5x)"
    );
    let (f, v) = (median(fabric_rtt), median(veth_rtt));
    println!(
        "{:<44} {f:>12.1} {v:>12.1} {:>+8.1}",
        "UDP round trip, median us (bar +100)",
        f - v
    );
    Ok(())
}

/// Gbit/s of one TCP stream.
fn throughput(from: &Node, to: &Node, clock: Clock) -> Result<f64> {
    let ip = to.ip;
    let listener = to.run(move || TcpListener::bind((ip, 0)))?;
    let address = listener.local_addr()?;
    let mut near = from.run(move || std::net::TcpStream::connect_timeout(&address, PATIENCE))?;
    let (mut far, _) = listener.accept()?;
    far.set_read_timeout(Some(PATIENCE))?;
    let sender = std::thread::spawn(move || -> io::Result<()> {
        let chunk = vec![7; 128 << 10];
        let end = clock.now_us() + STREAM_US;
        while clock.now_us() < end {
            near.write_all(&chunk)?;
        }
        Ok(())
    });
    let mut buffer = vec![0; 256 << 10];
    let (start, mut total) = (clock.now_us(), 0);
    loop {
        match far.read(&mut buffer)? {
            0 => break,
            count => total += count,
        }
    }
    let seconds = (clock.now_us() - start) as f64 / 1e6;
    sender.join().map_err(|_| "the sender panicked")??;
    Ok(total as f64 * 8.0 / seconds / 1e9)
}

fn udp(node: &Node) -> io::Result<(UdpSocket, SocketAddr)> {
    let ip = node.ip;
    let socket = node.run(move || UdpSocket::bind((ip, 0)))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// The median round trip in microseconds.
fn round_trip(from: &Node, to: &Node, clock: Clock) -> Result<f64> {
    let (near, _) = udp(from)?;
    let (far, address) = udp(to)?;
    let echo = std::thread::spawn(move || -> io::Result<()> {
        let mut buffer = [0; 64];
        for _ in 0..PINGS {
            let (count, back) = far.recv_from(&mut buffer)?;
            far.send_to(&buffer[..count], back)?;
        }
        Ok(())
    });
    let mut buffer = [0; 64];
    let mut took = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let start = clock.now_us();
        near.send_to(b"ping", address)?;
        near.recv_from(&mut buffer)?;
        took.push((clock.now_us() - start) as f64);
    }
    echo.join().map_err(|_| "the echo panicked")??;
    Ok(median(took))
}

/// Nanoseconds of the clock by which the kernel stamps what it receives.
fn wall_ns() -> io::Result<i64> {
    let now = clock_gettime(Reading::CLOCK_REALTIME)?;
    Ok(now.tv_sec() * 1_000_000_000 + now.tv_nsec())
}

/// When a packet was sent, by its own word, and when it arrived, by the
/// kernel's: the receiver's wakeup is not the fabric's.
fn stamped(socket: &UdpSocket) -> Result<(i64, i64)> {
    let mut payload = [0; 8];
    let mut room = nix::cmsg_space!(TimeSpec);
    let mut parts = [io::IoSliceMut::new(&mut payload)];
    let none = MsgFlags::empty();
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut room), none)?;
    let stamp = message.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::ScmTimestampns(at) => Some(at),
        _ => None,
    });
    let stamp = stamp.ok_or("no timestamp")?;
    let arrived = stamp.tv_sec() * 1_000_000_000 + stamp.tv_nsec();
    Ok((i64::from_be_bytes(payload), arrived))
}

/// Holds 10,000 packets a second for 50 ms each.
fn precise_delay(clock: Clock) -> Result<()> {
    let switch = switch(clock)?;
    let (a, b) = (Node::new(1)?, Node::new(2)?);
    a.join(&switch, true)?;
    b.join(&switch, true)?;
    round_trip(&a, &b, clock)?;
    switch.install(LinkRule {
        a: vec![a.name.clone()],
        b: vec![b.name.clone()],
        direction: Direction::AToB,
        port: None,
        impairment: Impairment::delay(Span::from_millis(DELAY_MS), Span::default()),
    })?;
    let (mut mids, mut p99s, mut lost) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let errors = delay_errors(&a, &b, clock)?;
        mids.push(quantile(&errors, 0.5));
        p99s.push(quantile(&errors, 0.99));
        lost += DELAYED as usize - errors.len();
    }
    let worst = p99s.iter().copied().fold(0.0, f64::max);
    row("50 ms delay at 10,000/s, error, median us", median(mids));
    row("  p99 us (bar 500)", median(p99s));
    row("  p99 us of the worst round", worst);
    row("  packets lost", lost as f64);
    Ok(())
}

/// By how much each packet missed its delay, in microseconds, sorted.
fn delay_errors(a: &Node, b: &Node, clock: Clock) -> Result<Vec<f64>> {
    let (near, _) = udp(a)?;
    let (far, address) = udp(b)?;
    let sender = std::thread::spawn(move || -> io::Result<()> {
        let every = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::empty())?;
        let period = Expiration::Interval(TimeSpec::new(0, 100_000));
        every.set(period, TimerSetTimeFlags::empty())?;
        let start = clock.now_us();
        for number in 0..DELAYED {
            // A tick that comes late is made good at once.
            while clock.now_us() < start + u64::from(number) * 100 {
                every.wait()?;
            }
            near.send_to(&wall_ns()?.to_be_bytes(), address)?;
        }
        Ok(())
    });
    let mut errors = Vec::with_capacity(DELAYED as usize);
    far.set_read_timeout(Some(Duration::from_secs(1)))?;
    sockopt::ReceiveTimestampns.set(&far, &true)?;
    while errors.len() < DELAYED as usize {
        let Ok((sent_ns, arrived_ns)) = stamped(&far) else {
            break;
        };
        let took_us = (arrived_ns - sent_ns) as f64 / 1e3;
        errors.push((took_us - DELAY_MS as f64 * 1e3).abs());
    }
    sender.join().map_err(|_| "the sender panicked")??;
    errors.sort_unstable_by(f64::total_cmp);
    Ok(errors)
}

/// Prints a line without a counterpart.
fn row(what: &str, value: f64) {
    println!("{what:<44} {value:>12.0}");
}

/// Cuts 32 talking nodes at one instant.
fn power_cut(clock: Clock) -> Result<()> {
    let (mut darkening, mut returning) = (Vec::new(), Vec::new());
    let (mut after, mut leaked) = (0, 0);
    for _ in 0..ROUNDS {
        let cut = one_cut(clock)?;
        darkening.push(cut.dark_us);
        returning.push(cut.return_us);
        after += cut.after;
        leaked += cut.leaked;
    }
    let worst = darkening.iter().copied().fold(0.0, f64::max);
    let (dark, back) = (median(darkening), median(returning));
    row("32 ports asked to be dark, until dark, us", dark);
    row("  worst us (bar 1000)", worst);
    row("  until the call returned, us", back);
    row("  frames afterwards (bar 0)", after as f64);
    row("  frames leaked (bar 0)", leaked as f64);
    Ok(())
}

struct Cut {
    dark_us: f64,
    return_us: f64,
    after: u64,
    leaked: u64,
}

fn one_cut(clock: Clock) -> Result<Cut> {
    let switch = switch(clock)?;
    let sink = Node::new(200)?;
    sink.join(&switch, true)?;
    let (_ears, to_sink) = udp(&sink)?;
    let nodes: Vec<Node> = (1..=32).map(Node::new).collect::<io::Result<_>>()?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut mouths = Vec::new();
    for node in &nodes {
        node.join(&switch, true)?;
        mouths.push(udp(node)?.0);
    }
    let talker = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for mouth in &mouths {
                    drop(mouth.send_to(&[0; 256], to_sink));
                }
            }
        })
    };
    let given = || switch.counters("n200").map_or(0, |c| c.frames_out);
    while given() < 20_000 && !talker.is_finished() {
        std::thread::yield_now();
    }
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let asked = clock.now_us();
    let report = switch.darken(&names);
    let returned = clock.now_us();
    let at_return = given();
    let dark = report
        .iter()
        .map(|(_, at, _)| *at)
        .max()
        .ok_or("nothing went dark")?;
    while clock.now_us() < returned + 200_000 {
        std::thread::yield_now();
    }
    stop.store(true, Ordering::Relaxed);
    talker.join().map_err(|_| "the talker panicked")?;
    let counters = names.iter().filter_map(|name| switch.counters(name));
    Ok(Cut {
        dark_us: (dark - asked) as f64,
        return_us: (returned - asked) as f64,
        after: given() - at_return,
        leaked: counters.map(|c| c.leaked).sum(),
    })
}
