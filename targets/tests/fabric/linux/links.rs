//! Links and their rules.

use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::units::{Bandwidth, PerUnit, Span};
use ridethrough_targets::world::{Direction, Impairment, LinkRule};

use super::traffic::{Outcome, SOON, acquaint, check_stream, pair, send_stream, switch, tcp, udp};

fn rule(direction: Direction, impairment: Impairment) -> LinkRule {
    LinkRule {
        a: vec!["n1".into()],
        b: vec!["n2".into()],
        direction,
        port: None,
        impairment,
    }
}

fn delay(ms: u64) -> Impairment {
    Impairment::delay(Span::from_millis(ms), Span::default())
}

fn whole(offload: bool) -> Outcome {
    let switch = switch(offload)?;
    let (a, b) = pair(&switch, offload)?;
    let (near, far) = tcp(&a, &b)?;
    let total = 30 << 20;
    let sender = send_stream(near, total);
    assert_eq!(check_stream(far)?, total);
    sender.join().expect("the sender did not panic")?;
    let counters = switch.counters("n1").expect("n1 has a port");
    assert!(counters.bytes_in as usize > total, "{counters:?}");
    let mean = counters.bytes_in / counters.frames_in;
    assert_eq!(mean > 1514, offload, "frames of {mean} bytes");
    assert_eq!(counters.leaked, 0);
    Ok(())
}

pub(crate) fn tcp_arrives_whole_with_offload() -> Outcome {
    whole(true)
}

pub(crate) fn tcp_arrives_whole_without_offload() -> Outcome {
    whole(false)
}

/// Whether anything comes within a moment.
fn hears(socket: &UdpSocket) -> io::Result<bool> {
    let mut buffer = [0; 64];
    match socket.recv_from(&mut buffer) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn drop_one_way_stops_one_way() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    acquaint(&a, &b)?;
    let (near, to_a) = udp(&a, Duration::from_millis(400))?;
    let (far, to_b) = udp(&b, Duration::from_millis(400))?;
    let id = switch.install(rule(Direction::AToB, Impairment::Drop))?;
    near.send_to(b"lost", to_b)?;
    far.send_to(b"heard", to_a)?;
    assert!(hears(&near)?, "the other way is open");
    assert!(!hears(&far)?, "this way is shut");
    let dropped = |name| switch.counters(name).map(|c| c.dropped);
    assert!(dropped("n1") >= Some(1) && dropped("n2") >= Some(1));
    switch.remove(id);
    near.send_to(b"heard", to_b)?;
    assert!(hears(&far)?, "open again");
    assert_eq!(
        switch.install(LinkRule {
            b: vec!["nobody".into()],
            ..rule(Direction::Both, Impairment::Drop)
        }),
        Err("nobody".to_string())
    );
    Ok(())
}

pub(crate) fn delay_adds_up() -> Outcome {
    let clock = Clock::start();
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    acquaint(&a, &b)?;
    switch.install(rule(Direction::Both, delay(20)))?;
    switch.install(rule(Direction::AToB, delay(15)))?;
    let start = clock.now_us();
    acquaint(&a, &b)?;
    let took = clock.now_us() - start;
    assert!(took >= 55_000, "{took} us");
    assert!(took < 1_000_000, "{took} us");
    Ok(())
}

pub(crate) fn delay_keeps_order() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    acquaint(&a, &b)?;
    let jitter = Impairment::delay(Span::from_millis(10), Span::from_millis(10));
    let id = switch.install(rule(Direction::AToB, jitter))?;
    let (near, _) = udp(&a, SOON)?;
    let (far, to_b) = udp(&b, SOON)?;
    for number in 0..200_u32 {
        if number == 100 {
            // What follows is not delayed, and may not overtake.
            switch.remove(id);
        }
        near.send_to(&number.to_be_bytes(), to_b)?;
    }
    let mut buffer = [0; 4];
    for number in 0..200_u32 {
        far.recv_from(&mut buffer)?;
        assert_eq!(u32::from_be_bytes(buffer), number);
    }
    Ok(())
}

pub(crate) fn loss_meets_its_share() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    acquaint(&a, &b)?;
    let loss = Impairment::Loss {
        probability: PerUnit(0.2),
    };
    switch.install(rule(Direction::AToB, loss))?;
    let (near, _) = udp(&a, SOON)?;
    // Emptied after each burst, so that the socket's own buffer loses nothing.
    let (far, to_b) = udp(&b, Duration::from_millis(2))?;
    let sent = 4_000;
    let mut heard = 0_i32;
    for _ in 0..sent / 50 {
        for _ in 0..50 {
            near.send_to(b"packet", to_b)?;
        }
        while hears(&far)? {
            heard += 1;
        }
    }
    far.set_read_timeout(Some(Duration::from_millis(500)))?;
    while hears(&far)? {
        heard += 1;
    }
    let lost = f64::from(sent - heard) / f64::from(sent);
    // Five standard deviations of a binomial share.
    let wide = 5.0 * (0.2 * 0.8 / f64::from(sent)).sqrt();
    assert!((lost - 0.2).abs() < wide, "{lost} lost");
    Ok(())
}

pub(crate) fn loss_sees_single_packets() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let (near, far) = tcp(&a, &b)?;
    let loss = Impairment::Loss {
        probability: PerUnit(0.001),
    };
    let id = switch.install(rule(Direction::AToB, loss))?;
    let before = switch.counters("n1").expect("n1 has a port");
    let sender = send_stream(near, 4 << 20);
    assert_eq!(check_stream(far)?, 4 << 20);
    sender.join().expect("the sender did not panic")?;
    let after = switch.counters("n1").expect("n1 has a port");
    let mean = (after.bytes_in - before.bytes_in) / (after.frames_in - before.frames_in);
    assert!(mean <= 1514, "frames of {mean} bytes");
    switch.remove(id);
    let (near, far) = tcp(&a, &b)?;
    let sender = send_stream(near, 4 << 20);
    assert_eq!(check_stream(far)?, 4 << 20);
    sender.join().expect("the sender did not panic")?;
    let last = switch.counters("n1").expect("n1 has a port");
    let mean = (last.bytes_in - after.bytes_in) / (last.frames_in - after.frames_in);
    assert!(
        mean > 1514,
        "large segments are back, frames of {mean} bytes"
    );
    Ok(())
}

pub(crate) fn rate_limits_a_stream() -> Outcome {
    let clock = Clock::start();
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let rate = Impairment::Rate {
        rate: Bandwidth(40e6),
        queue: Span::from_millis(50),
    };
    switch.install(rule(Direction::AToB, rate))?;
    let (near, far) = tcp(&a, &b)?;
    let total = 5 << 20;
    let start = clock.now_us();
    let sender = send_stream(near, total);
    assert_eq!(check_stream(far)?, total);
    sender.join().expect("the sender did not panic")?;
    let seconds = (clock.now_us() - start) as f64 / 1e6;
    let goodput = total as f64 * 8.0 / seconds;
    assert!(goodput < 40e6, "{goodput} bit/s");
    assert!(goodput > 5e6, "{goodput} bit/s");
    Ok(())
}
