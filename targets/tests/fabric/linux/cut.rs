//! What a power cut does on the wire.

use std::io::{self, Read, Write};
use std::time::Duration;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Impairment, LinkRule};

use super::node::{DEVICE, Node};
use super::traffic::{Outcome, SOON, acquaint, pair, switch, tcp, udp};

const MOMENT: Duration = Duration::from_millis(600);

/// Asserts that a read ends by its own timeout: no data, no FIN, no RST.
fn assert_silent(stream: &mut impl Read) {
    let result = stream.read(&mut [0; 16]);
    let kind = result.as_ref().map_err(io::Error::kind);
    assert_eq!(kind, Err(io::ErrorKind::WouldBlock), "{result:?}");
}

pub(crate) fn a_cut_is_silent() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let (mut reader, mut victim) = tcp(&a, &b)?;
    victim.write_all(b"token")?;
    reader.read_exact(&mut [0; 5])?;
    let report = switch.darken(&["n2".into(), "unknown".into()]);
    assert_eq!(report.len(), 1);
    let (name, dark_us, counters) = &report[0];
    assert_eq!((name.as_str(), counters.leaked), ("n2", 0));
    assert!(counters.frames_in > 0 && counters.frames_out > 0);
    drop(victim);
    drop(b);
    reader.set_read_timeout(Some(MOMENT))?;
    assert_silent(&mut reader);
    let again = switch.darken(&["n2".into()]);
    assert_eq!(again[0].1, *dark_us, "dark once");
    reader.write_all(b"anyone there?")?;
    assert_silent(&mut reader);
    let after = switch.counters("n2").expect("n2 has a port");
    assert_eq!((after.frames_in, after.leaked), (counters.frames_in, 0));
    assert!(after.dropped > counters.dropped, "{after:?}");
    Ok(())
}

pub(crate) fn a_cut_takes_what_is_held() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    acquaint(&a, &b)?;
    let (near, to_a) = udp(&a, MOMENT)?;
    let (far, _) = udp(&b, MOMENT)?;
    switch.install(LinkRule {
        a: vec!["n2".into()],
        b: Vec::new(),
        direction: Direction::AToB,
        port: None,
        impairment: Impairment::delay(Span::from_millis(300), Span::default()),
    })?;
    far.send_to(b"last words", to_a)?;
    switch.darken(&["n2".into()]);
    let reborn = Node::new(2)?;
    reborn.join(&switch, true)?;
    let heard = near.recv_from(&mut [0; 16]);
    assert!(heard.is_err(), "{heard:?}");
    Ok(())
}

pub(crate) fn a_new_boot_resets_old_connections() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let (mut near, far) = tcp(&a, &b)?;
    switch.darken(&["n2".into()]);
    drop(far);
    drop(b);
    let b = Node::new(2)?;
    b.join(&switch, true)?;
    near.set_read_timeout(Some(MOMENT))?;
    assert_silent(&mut near);
    near.set_read_timeout(Some(SOON))?;
    near.write_all(b"still there?")?;
    let result = near.read(&mut [0; 16]);
    let kind = result.as_ref().map_err(io::Error::kind);
    assert_eq!(kind, Err(io::ErrorKind::ConnectionReset), "{result:?}");
    let counters = switch.counters("n2").expect("n2 has a port");
    assert!(counters.frames_in < 20, "counters start anew: {counters:?}");
    Ok(())
}

pub(crate) fn a_dark_neighbour_becomes_unreachable() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let address = std::net::SocketAddr::from((b.ip, 9));
    switch.darken(&["n2".into()]);
    let result = a.run(move || std::net::TcpStream::connect_timeout(&address, SOON));
    let kind = result.as_ref().map(|_| ()).map_err(io::Error::kind);
    assert_eq!(kind, Err(io::ErrorKind::HostUnreachable), "{result:?}");
    Ok(())
}

pub(crate) fn many_ports_go_dark_together() -> Outcome {
    let clock = Clock::start();
    let switch = switch(true)?;
    let sink = Node::new(200)?;
    sink.join(&switch, true)?;
    let (_ears, to_sink) = udp(&sink, SOON)?;
    let mut nodes = Vec::new();
    let mut mouths = Vec::new();
    for number in 1..=16 {
        let node = Node::new(number)?;
        node.join(&switch, true)?;
        acquaint(&node, &sink)?;
        mouths.push(udp(&node, SOON)?.0);
        nodes.push(node);
    }
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let end = clock.now_us() + 300_000;
    let talk = std::thread::spawn(move || {
        while clock.now_us() < end {
            for mouth in &mouths {
                // A node without a device cannot send; that is no failure.
                drop(mouth.send_to(b"chatter", to_sink));
            }
        }
    });
    let busy = switch.counters("n200").map_or(0, |c| c.frames_out) + 500;
    while switch.counters("n200").map_or(0, |c| c.frames_out) < busy {
        assert!(!talk.is_finished(), "too little traffic");
        std::thread::yield_now();
    }
    let report = switch.darken(&names);
    let at_cut = switch.counters("n200").map(|c| c.frames_out);
    assert_eq!(report.len(), 16);
    assert!(report.iter().all(|(_, at, _)| *at == report[0].1));
    talk.join().expect("the talker did not panic");
    assert_eq!(switch.counters("n200").map(|c| c.frames_out), at_cut);
    let leaks = names.iter().filter_map(|name| switch.counters(name));
    assert_eq!(leaks.map(|c| c.leaked).sum::<u64>(), 0);
    Ok(())
}

pub(crate) fn the_last_handle_closes_devices() -> Outcome {
    let switch = switch(true)?;
    let (a, _b) = pair(&switch, true)?;
    let devices = || std::fs::read_to_string("/proc/thread-self/net/dev");
    assert!(a.run(devices)?.contains(DEVICE));
    drop(switch);
    assert!(!a.run(devices)?.contains(DEVICE));
    Ok(())
}
