//! Datagrams between two kernels, in memory and on the host alike.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::super::datagram::MAX_DATAGRAM;
use super::stream::{rule, two};
use crate::net::{Datagram, HostNet, Net};
use crate::units::{PerUnit, Span};
use crate::world::Impairment;

const WAIT: Duration = Duration::from_secs(2);

/// What a socket hears within a while.
async fn heard(socket: &dyn Datagram) -> Option<(Vec<u8>, SocketAddr)> {
    let mut buffer = vec![0; MAX_DATAGRAM];
    let (len, from) = timeout(WAIT, socket.recv_from(&mut buffer))
        .await
        .ok()?
        .unwrap();
    buffer.truncate(len);
    Some((buffer, from))
}

/// What holds of every network.
async fn both_ways(near: &dyn Net, far: &dyn Net, host: &str) {
    let server = far.bind_udp(0).await.unwrap();
    let client = near.bind_udp(0).await.unwrap();
    let ip = near.resolve(host).unwrap();
    let to = SocketAddr::from((ip, server.local_addr().port()));
    let long = vec![7; MAX_DATAGRAM];
    for text in [b"".as_slice(), b"one", &long] {
        client.send_to(text, to).await.unwrap();
        let (said, from) = heard(&*server).await.unwrap();
        assert!(said == text, "{} of {} bytes", said.len(), text.len());
        server.send_to(&said, from).await.unwrap();
        let (back, from) = heard(&*client).await.unwrap();
        assert!(back == text && from == to, "{from} {to}");
    }
    let too_long = client.send_to(&vec![0; MAX_DATAGRAM + 1], to).await;
    assert!(too_long.is_err());
    // A short buffer gets the beginning; the rest is gone.
    client.send_to(b"abcdef", to).await.unwrap();
    let mut short = [0; 3];
    assert_eq!(server.recv_from(&mut short).await.unwrap().0, 3);
    client.send_to(b"next", to).await.unwrap();
    assert_eq!(heard(&*server).await.unwrap().0, b"next");
    let taken = far.bind_udp(to.port()).await.err().map(|e| e.kind());
    assert_eq!(taken, Some(std::io::ErrorKind::AddrInUse));
    drop(server);
    far.bind_udp(to.port()).await.unwrap();
}

#[tokio::test]
async fn the_host_carries_datagrams() {
    let net = HostNet::loopback();
    both_ways(&net, &net, "anything").await;
}

#[tokio::test(start_paused = true)]
async fn memory_carries_datagrams() {
    let (_wire, one, two) = two();
    both_ways(&one, &two, "two").await;
    both_ways(&one, &one, "localhost").await;
}

#[tokio::test(start_paused = true)]
async fn rules_and_dark_ports_act_on_datagrams() {
    let (wire, one, two) = two();
    let server = two.bind_udp(161).await.unwrap();
    let client = one.bind_udp(0).await.unwrap();
    let to = SocketAddr::from((Ipv4Addr::new(10, 77, 0, 2), 161));
    let by = Span::from_millis(40);
    let delay = Impairment::delay(by, Span::default());
    let late = wire.install(&rule(delay)).unwrap();
    let began = Instant::now();
    client.send_to(b"late", to).await.unwrap();
    assert_eq!(heard(&*server).await.unwrap().0, b"late");
    assert_eq!(began.elapsed(), by.duration());
    wire.remove(late);
    let probability = PerUnit(1.0);
    let all = wire
        .install(&rule(Impairment::Loss { probability }))
        .unwrap();
    client.send_to(b"lost", to).await.unwrap();
    assert_eq!(heard(&*server).await, None);
    wire.remove(all);
    wire.cut(&[1]);
    client.send_to(b"into the dark", to).await.unwrap();
    assert!(server.recv_from(&mut [0; 1]).await.is_err());
    let boot = wire.new_kernel(1);
    wire.light(1);
    let two = super::super::NodeNet::new(wire.clone(), 1, boot);
    let server = two.bind_udp(161).await.unwrap();
    assert_eq!(heard(&*server).await, None);
    client.send_to(b"back", to).await.unwrap();
    assert_eq!(heard(&*server).await.unwrap().0, b"back");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_nobody_reads_is_bounded() {
    let (_wire, one, two) = two();
    let server = two.bind_udp(161).await.unwrap();
    let client = one.bind_udp(0).await.unwrap();
    let to = SocketAddr::from((Ipv4Addr::new(10, 77, 0, 2), 161));
    for _ in 0..100 {
        client.send_to(&[0; 10_000], to).await.unwrap();
    }
    let mut count = 0;
    while heard(&*server).await.is_some() {
        count += 1;
    }
    assert!((10..30).contains(&count), "{count}");
}
