//! What a switch carries whose every link has a rule of every kind.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};

use ridethrough_targets::clock::Clock;
use ridethrough_targets::fabric::Switch;
use ridethrough_targets::units::{Bandwidth, PerUnit, Span};
use ridethrough_targets::world::{
    Direction, Distribution, FourState, GilbertElliott, Impairment, LinkRule,
};

use super::node::Node;
use super::{ROUNDS, Result, median, row, switch, udp};

const NODES: u8 = 16;
/// Payloads of the smallest probe and of the longest packet.
const SMALL: usize = 40;
const LARGE: usize = 1_472;
const WARM_US: u64 = 300_000;
const MEASURED_US: u64 = 1_000_000;

/// Every kind, each so small that traffic flows.
fn every_kind() -> Vec<Impairment> {
    let seldom = PerUnit(1e-4);
    vec![
        Impairment::Flap {
            period: Span::from_secs(3_600),
            down: Span::from_micros(1),
        },
        Impairment::MtuBlackHole { mtu: 1_500 },
        Impairment::Loss {
            probability: seldom,
        },
        Impairment::GilbertElliott(GilbertElliott {
            p: seldom,
            r: PerUnit(0.5),
            loss_good: PerUnit(0.0),
            loss_bad: PerUnit(1.0),
        }),
        Impairment::FourState(FourState {
            p13: seldom,
            p31: PerUnit(0.5),
            p32: PerUnit(0.1),
            p23: PerUnit(0.9),
            p14: seldom,
        }),
        Impairment::Reset {
            probability: seldom,
        },
        Impairment::Corrupt {
            probability: seldom,
        },
        Impairment::Duplicate {
            probability: seldom,
        },
        Impairment::Reorder {
            probability: seldom,
            by: Span::from_millis(2),
        },
        Impairment::Rate {
            rate: Bandwidth(10e9),
            queue: Span::from_millis(50),
        },
        Impairment::Delay {
            delay: Span::from_millis(1),
            jitter: Span::from_micros(100),
            distribution: Distribution::Normal,
            correlation: PerUnit(0.25),
        },
    ]
}

/// Rules of every kind on each of 240 directions, and one for a port.
pub(super) fn every_rule(clock: Clock) -> Result<()> {
    let switch = switch(clock)?;
    let nodes: Vec<Node> = (1..=NODES).map(Node::new).collect::<std::io::Result<_>>()?;
    for node in &nodes {
        node.join(&switch, true)?;
    }
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let on_all = |port, impairment| LinkRule {
        a: names.clone(),
        b: names.clone(),
        direction: Direction::Both,
        port,
        impairment,
    };
    for impairment in every_kind() {
        switch.install(on_all(None, impairment))?;
    }
    switch.install(on_all(Some(9), Impairment::Drop))?;
    let mut ears = Vec::new();
    let mut mouths = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        mouths.push(udp(node)?.0);
        let to = udp(&nodes[(at + 1) % nodes.len()])?;
        ears.push(to);
    }
    let flows: Vec<(UdpSocket, SocketAddr)> = mouths
        .into_iter()
        .zip(ears.iter().map(|(_, address)| *address))
        .collect();
    let (mut packets, mut bits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        packets.push(carried(&switch, &names, &flows, SMALL, clock)?.0);
        bits.push(carried(&switch, &names, &flows, LARGE, clock)?.1);
    }
    row(
        "16 nodes, all rules, packets/s (bar 150000)",
        median(packets),
    );
    row("  of 1500 bytes, Mbit/s (bar 1000)", median(bits) / 1e6);
    Ok(())
}

/// Packets and bits that the switch gave to nodes in a second.
fn carried(
    switch: &Switch,
    names: &[String],
    flows: &[(UdpSocket, SocketAddr)],
    payload: usize,
    clock: Clock,
) -> Result<(f64, f64)> {
    let stop = AtomicBool::new(false);
    let given = || {
        let counters = names.iter().filter_map(|name| switch.counters(name));
        counters.fold((0, 0), |sum, c| (sum.0 + c.frames_out, sum.1 + c.bytes_out))
    };
    let talk = || {
        let bytes = vec![7; payload];
        while !stop.load(Ordering::Relaxed) {
            for (mouth, to) in flows {
                drop(mouth.send_to(&bytes, to));
            }
        }
    };
    let mut measured = (0.0, 0.0);
    std::thread::scope(|scope| {
        scope.spawn(talk);
        wait(clock, WARM_US);
        let (start_us, before) = (clock.now_us(), given());
        wait(clock, MEASURED_US);
        let (end_us, after) = (clock.now_us(), given());
        stop.store(true, Ordering::Relaxed);
        let seconds = (end_us - start_us) as f64 / 1e6;
        measured.0 = (after.0 - before.0) as f64 / seconds;
        measured.1 = (after.1 - before.1) as f64 * 8.0 / seconds;
    });
    Ok(measured)
}

/// Leaves its core to others meanwhile.
fn wait(clock: Clock, for_us: u64) {
    let until = clock.now_us() + for_us;
    while let Some(left_us) = until.checked_sub(clock.now_us()).filter(|us| *us > 0) {
        std::thread::park_timeout(std::time::Duration::from_micros(left_us));
    }
}
