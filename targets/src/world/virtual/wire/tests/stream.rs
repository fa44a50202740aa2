//! Streams between two kernels, as services see them.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::super::NodeNet;
use super::super::wire::Wire;
use crate::net::{Conn, Net, SocketOptions};
use crate::units::{Bandwidth, PerUnit, Span};
use crate::world::{Direction, Impairment, LinkRule};

/// Two nodes, both up.
pub(super) fn two() -> (Wire, NodeNet, NodeNet) {
    let hosts = IndexMap::from([
        ("one".to_string(), Ipv4Addr::new(10, 77, 0, 1)),
        ("two".to_string(), Ipv4Addr::new(10, 77, 0, 2)),
    ]);
    let wire = Wire::new(Instant::now(), 7, &hosts, &IndexMap::new());
    let node = |place| {
        let boot = wire.new_kernel(place);
        wire.light(place);
        NodeNet::new(wire.clone(), place, boot)
    };
    let (one, two) = (node(0), node(1));
    wire.start();
    (wire, one, two)
}

pub(super) fn rule(impairment: Impairment) -> LinkRule {
    LinkRule {
        a: vec!["one".into()],
        b: vec!["two".into()],
        direction: Direction::Both,
        port: None,
        impairment,
    }
}

/// Sends `len` bytes from one to two, and returns what came and how long it
/// took.
async fn send(one: &NodeNet, two: &NodeNet, len: usize) -> io::Result<(Vec<u8>, Duration)> {
    let mut listener = two.listen(80, SocketOptions::default()).await?;
    let began = Instant::now();
    let sender = one.clone();
    let sending = tokio::spawn(async move {
        let options = SocketOptions::default();
        let mut conn = sender.connect("two", 80, options).await?;
        conn.io.write_all(&pattern(len)).await?;
        conn.io.shutdown().await
    });
    let mut conn = listener.accept().await?;
    let mut got = Vec::new();
    conn.io.read_to_end(&mut got).await?;
    let took = began.elapsed();
    sending.await??;
    Ok((got, took))
}

/// The two ends of a connection from one to two.
async fn connected(one: &NodeNet, two: &NodeNet) -> (Conn, Conn) {
    let mut listener = two.listen(80, SocketOptions::default()).await.unwrap();
    let near = one.connect("two", 80, SocketOptions::default()).await;
    (near.unwrap(), listener.accept().await.unwrap())
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 11) as u8).collect()
}

const MEGABYTE: usize = 1_000_000;

#[tokio::test(start_paused = true)]
async fn without_rules_no_time_passes() {
    let (_wire, one, two) = two();
    let (got, took) = send(&one, &two, MEGABYTE).await.unwrap();
    assert!(got == pattern(MEGABYTE));
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_rate_stretches_a_transfer_and_loses_nothing() {
    let (wire, one, two) = two();
    let rate = Impairment::Rate {
        rate: Bandwidth(8e6),
        queue: Span::from_millis(100),
    };
    wire.install(&rule(rate)).unwrap();
    let (got, took) = send(&one, &two, MEGABYTE).await.unwrap();
    assert!(got == pattern(MEGABYTE));
    // One second of payload, headers, and what the queue made TCP repeat.
    let took = took.as_secs_f64();
    assert!((1.0..2.5).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn loss_is_delay_and_never_missing_bytes() {
    let (wire, one, two) = two();
    let loss = Impairment::Loss {
        probability: PerUnit(0.05),
    };
    wire.install(&rule(loss)).unwrap();
    let (got, took) = send(&one, &two, MEGABYTE).await.unwrap();
    assert!(got == pattern(MEGABYTE));
    assert!(took > Duration::from_millis(200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cut_that_heals_is_a_stall_until_the_next_retransmission() {
    let (wire, one, two) = two();
    let (mut writer, mut reader) = connected(&one, &two).await;
    let cut = wire.install(&rule(Impairment::Drop)).unwrap();
    writer.io.write_all(b"late").await.unwrap();
    let mut buffer = [0; 4];
    let early = timeout(Duration::from_secs(2), reader.io.read_exact(&mut buffer)).await;
    assert!(early.is_err(), "bytes came through a cut");
    wire.remove(cut);
    let healed = Instant::now();
    reader.io.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"late");
    // 0.2, 0.6, 1.4 and 3.0 s after the write: the heal was at 2.0 s.
    let after = healed.elapsed();
    assert!((900..1_100).contains(&after.as_millis()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cut_of_one_way_leaves_the_other() {
    let (wire, one, two) = two();
    let (mut near, mut far) = connected(&one, &two).await;
    let cut = LinkRule {
        direction: Direction::AToB,
        ..rule(Impairment::Drop)
    };
    let cut = wire.install(&cut).unwrap();
    let began = Instant::now();
    let mut buffer = [0; 4];
    far.io.write_all(b"heard").await.unwrap();
    let heard = timeout(Duration::from_secs(1), near.io.read_exact(&mut buffer)).await;
    heard.expect("the other way is open").unwrap();
    assert_eq!((&buffer, began.elapsed()), (b"hear", Duration::ZERO));
    near.io.write_all(b"lost").await.unwrap();
    let silence = timeout(Duration::from_secs(2), far.io.read_exact(&mut buffer)).await;
    assert!(silence.is_err(), "bytes came through a cut");
    // The acknowledgement of what was heard, what was written, and again.
    let met = wire.rule_counters(cut).unwrap();
    assert!(met.matched > 3 && met.acted == met.matched, "{met:?}");
    // Whoever hears nothing looks for its neighbour, who cannot answer.
    let unheard = timeout(Duration::from_secs(200), async {
        loop {
            let again = two.connect("one", 81, SocketOptions::default()).await;
            if let Err(error) = again {
                break error.kind();
            }
        }
    });
    assert_eq!(unheard.await.unwrap(), io::ErrorKind::HostUnreachable);
}

#[tokio::test(start_paused = true)]
async fn a_full_receiver_stops_its_sender_and_lets_it_go_on() {
    let (_wire, one, two) = two();
    let (mut writer, mut reader) = connected(&one, &two).await;
    let writing = tokio::spawn(async move {
        writer.io.write_all(&pattern(4 * MEGABYTE)).await.unwrap();
        writer
    });
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(!writing.is_finished(), "nobody has read");
    let mut got = vec![0; 4 * MEGABYTE];
    reader.io.read_exact(&mut got).await.unwrap();
    assert!(got == pattern(4 * MEGABYTE));
    writing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn names_ports_and_addresses_are_as_elsewhere() {
    let (_wire, one, two) = two();
    let options = SocketOptions::default();
    let error = |result: io::Result<crate::net::Conn>| result.err().map(|e| e.kind());
    assert_eq!(
        error(one.connect("three", 80, options).await),
        Some(io::ErrorKind::NotFound)
    );
    assert_eq!(
        error(one.connect("two", 80, options).await),
        Some(io::ErrorKind::ConnectionRefused)
    );
    let mut listener = two.listen(0, options).await.unwrap();
    let local = listener.local_addr();
    assert_eq!(local.ip(), Ipv4Addr::new(10, 77, 0, 2));
    let taken = two.listen(local.port(), options).await.err();
    assert_eq!(taken.map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
    let conn = one
        .connect("10.77.0.2", local.port(), options)
        .await
        .unwrap();
    let other = listener.accept().await.unwrap();
    assert_eq!((conn.local, conn.peer), (other.peer, other.local));
    // A node reaches itself whatever becomes of its port.
    assert!(
        two.connect("localhost", local.port(), options)
            .await
            .is_ok()
    );
}

/// A stream arrives whole, in order and once, whatever becomes of its packets.
async fn whole_under(impairment: Impairment) {
    let (wire, one, two) = two();
    let id = wire.install(&rule(impairment.clone())).unwrap();
    let (got, took) = send(&one, &two, MEGABYTE).await.unwrap();
    assert!(got == pattern(MEGABYTE), "{impairment:?}");
    assert!(took < Duration::from_secs(300), "{impairment:?}: {took:?}");
    let counters = wire.rule_counters(id).unwrap();
    assert!(counters.acted > 10, "{impairment:?}: {counters:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_survives_copies_damage_and_reordering() {
    for probability in [0.05, 0.3].map(PerUnit) {
        whole_under(Impairment::Duplicate { probability }).await;
        whole_under(Impairment::Corrupt { probability }).await;
        let by = Span::from_millis(3);
        whole_under(Impairment::Reorder { probability, by }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_both_ends() {
    let (wire, one, two) = two();
    let (mut near, mut far) = connected(&one, &two).await;
    near.io.write_all(b"before").await.unwrap();
    far.io.read_exact(&mut [0; 6]).await.unwrap();
    let probability = PerUnit(1.0);
    wire.install(&rule(Impairment::Reset { probability }))
        .unwrap();
    near.io.write_all(b"now").await.unwrap();
    for end in [&mut near, &mut far] {
        let error = end.io.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_takes_what_is_long_and_only_that() {
    let (wire, one, two) = two();
    let id = wire
        .install(&rule(Impairment::MtuBlackHole { mtu: 600 }))
        .unwrap();
    let (got, _) = send(&one, &two, 500).await.unwrap();
    assert_eq!(got.len(), 500);
    let stuck = timeout(Duration::from_secs(60), send(&one, &two, 20_000)).await;
    assert!(stuck.is_err(), "nothing that long fits");
    wire.remove(id);
}
