//! Traffic between nodes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread::JoinHandle;
use std::time::Duration;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::fabric::{Switch, SwitchConfig};

use super::node::Node;

/// How long anything that should happen may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A switch for a test.
pub(crate) fn switch(offload: bool) -> io::Result<Switch> {
    Switch::start(SwitchConfig {
        seed: 7,
        clock: Clock::start(),
        pcap: None,
        offload,
    })
}

/// Two nodes that are lit on a switch.
pub(crate) fn pair(switch: &Switch, offload: bool) -> io::Result<(Node, Node)> {
    let (a, b) = (Node::new(1)?, Node::new(2)?);
    a.join(switch, offload)?;
    b.join(switch, offload)?;
    Ok((a, b))
}

/// A UDP socket of a node, with the address others reach it by. Reads give up
/// after `patience`.
pub(crate) fn udp(node: &Node, patience: Duration) -> io::Result<(UdpSocket, SocketAddr)> {
    let ip = node.ip;
    let socket = node.run(move || UdpSocket::bind((ip, 0)))?;
    socket.set_read_timeout(Some(patience))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// A TCP connection: the end of `from`, then the end of `to`.
pub(crate) fn tcp(from: &Node, to: &Node) -> io::Result<(TcpStream, TcpStream)> {
    let ip = to.ip;
    let listener = to.run(move || TcpListener::bind((ip, 0)))?;
    let address = listener.local_addr()?;
    let near = from.run(move || TcpStream::connect_timeout(&address, SOON))?;
    let (far, _) = listener.accept()?;
    for end in [&near, &far] {
        end.set_read_timeout(Some(SOON))?;
        end.set_write_timeout(Some(SOON))?;
    }
    Ok((near, far))
}

/// Lets the nodes learn each other's hardware addresses.
pub(crate) fn acquaint(a: &Node, b: &Node) -> io::Result<()> {
    let (near, _) = udp(a, SOON)?;
    let (far, address) = udp(b, SOON)?;
    near.send_to(b"hello", address)?;
    let mut buffer = [0; 16];
    let (_, back) = far.recv_from(&mut buffer)?;
    far.send_to(b"hello", back)?;
    near.recv_from(&mut buffer)?;
    Ok(())
}

/// A byte that tells its position in a stream.
fn byte_at(position: usize) -> u8 {
    (position.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// Sends `total` bytes over a new connection on a thread of its own.
pub(crate) fn send_stream(mut to: TcpStream, total: usize) -> JoinHandle<io::Result<()>> {
    std::thread::spawn(move || {
        let bytes: Vec<u8> = (0..total).map(byte_at).collect();
        to.write_all(&bytes)
    })
}

/// Reads a stream to its end and checks every byte. Returns its length.
pub(crate) fn check_stream(mut from: TcpStream) -> io::Result<usize> {
    let mut buffer = vec![0; 1 << 16];
    let mut position = 0;
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(position);
        }
        for byte in &buffer[..count] {
            if *byte != byte_at(position) {
                return Err(io::Error::other(format!("byte {position} is wrong")));
            }
            position += 1;
        }
    }
}
