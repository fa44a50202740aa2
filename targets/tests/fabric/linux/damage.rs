//! What real kernels make of frames that are doubled, held up, damaged,
//! swallowed or forged.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::{Direction, Impairment, LinkRule, RuleId};

use super::traffic::{Outcome, SOON, check_stream, pair, send_stream, switch, tcp};

fn rule(port: Option<u16>, impairment: Impairment) -> LinkRule {
    LinkRule {
        a: vec!["n1".into()],
        b: vec!["n2".into()],
        direction: Direction::Both,
        port,
        impairment,
    }
}

/// A stream arrives whole under a rule, and the rule was at work; returns how
/// many packets of the receiver's kernel had a bad checksum.
fn whole_under(impairment: Impairment) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let (near, far) = tcp(&a, &b)?;
    let id = switch.install(rule(None, impairment))?;
    let total = 2 << 20;
    let sender = send_stream(near, total);
    assert_eq!(check_stream(far)?, total);
    sender.join().expect("the sender did not panic")?;
    let counters = switch.rule_counters(id).expect("it was installed");
    assert!(counters.acted > 10, "{counters:?}");
    assert!(counters.matched > counters.acted, "{counters:?}");
    Ok(b.run(bad_checksums)?)
}

/// Of this thread's network namespace.
fn bad_checksums() -> io::Result<u64> {
    let table = std::fs::read_to_string("/proc/thread-self/net/snmp")?;
    let tcp: Vec<&str> = table.lines().filter(|l| l.starts_with("Tcp:")).collect();
    let at = tcp[0].split(' ').position(|name| name == "InCsumErrors");
    let value = at.and_then(|at| tcp[1].split(' ').nth(at));
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| io::Error::other("no such counter"))
}

pub(crate) fn a_damaged_packet_is_dropped_by_its_checksum() -> Outcome {
    let probability = PerUnit(0.03);
    let bad = whole_under(Impairment::Corrupt { probability })?;
    assert!(bad > 5, "{bad} bad checksums");
    Ok(())
}

pub(crate) fn a_stream_survives_duplicates() -> Outcome {
    let probability = PerUnit(0.2);
    assert_eq!(whole_under(Impairment::Duplicate { probability })?, 0);
    Ok(())
}

pub(crate) fn a_stream_survives_reordering() -> Outcome {
    let reorder = Impairment::Reorder {
        probability: PerUnit(0.1),
        by: Span::from_millis(3),
    };
    assert_eq!(whole_under(reorder)?, 0);
    Ok(())
}

/// What a blocked read of an end says.
fn verdict(end: &mut TcpStream) -> io::Result<usize> {
    end.set_read_timeout(Some(SOON))?;
    end.read(&mut [0; 64])
}

fn is_reset(result: io::Result<usize>) -> bool {
    result.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

/// Small words, to and fro and idle, and a stream in full flow.
pub(crate) fn a_forged_reset_is_believed_at_both_ends() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let (mut near, mut far) = tcp(&a, &b)?;
    let (mut spared, mut spared_far) = tcp(&a, &b)?;
    near.write_all(b"before")?;
    far.read_exact(&mut [0; 6])?;
    let reset = || Impairment::Reset {
        probability: PerUnit(1.0),
    };
    let port = near.peer_addr()?.port();
    let id = switch.install(rule(Some(port), reset()))?;
    near.write_all(b"now")?;
    assert!(is_reset(verdict(&mut near)), "the end that sent");
    assert!(is_reset(verdict(&mut far)), "the end that was sent to");
    spared.write_all(b"spared")?;
    spared_far.read_exact(&mut [0; 6])?;
    switch.remove(id);
    for _ in 0..10 {
        in_full_flow(&switch, &a, &b, reset())?;
    }
    Ok(())
}

fn in_full_flow(
    switch: &ridethrough_targets::fabric::Switch,
    a: &super::node::Node,
    b: &super::node::Node,
    reset: Impairment,
) -> Outcome {
    let (near, mut far) = tcp(a, b)?;
    let sender = send_stream(near, 64 << 20);
    let mut buffer = vec![0; 1 << 16];
    let mut id: Option<RuleId> = None;
    let mut total = 0;
    let end = loop {
        match far.read(&mut buffer) {
            Ok(0) => break Ok(0),
            Ok(count) => total += count,
            Err(error) => break Err(error),
        }
        if total > 1 << 20 && id.is_none() {
            id = Some(switch.install(rule(None, reset.clone()))?);
        }
    };
    assert!(is_reset(end), "the end that was sent to");
    let sent = sender.join().expect("the sender did not panic");
    let kind = sent.expect_err("64 MB did not fit into the flight").kind();
    let ended = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    assert!(ended.contains(&kind), "the end that sent: {kind}");
    id.into_iter().for_each(|id| switch.remove(id));
    Ok(())
}

/// Small words pass, large ones never arrive, and nobody is told.
pub(crate) fn a_black_hole_swallows_long_packets() -> Outcome {
    let switch = switch(true)?;
    let (a, b) = pair(&switch, true)?;
    let (mut near, mut far) = tcp(&a, &b)?;
    let id = switch.install(rule(None, Impairment::MtuBlackHole { mtu: 600 }))?;
    near.write_all(b"small")?;
    far.read_exact(&mut [0; 5])?;
    near.write_all(&[7; 20_000])?;
    far.set_read_timeout(Some(Duration::from_millis(700)))?;
    let silent = far.read(&mut [0; 64]);
    let kind = silent.expect_err("nothing that long fits").kind();
    assert_eq!(kind, io::ErrorKind::WouldBlock);
    switch.remove(id);
    far.set_read_timeout(Some(SOON))?;
    far.read_exact(&mut [0; 20_000])?;
    Ok(())
}
