//! A network in memory, all nodes at one address, so that time can be paused.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::net::{Conn, Listener, Net, SocketOptions};

type Ports = BTreeMap<u16, mpsc::UnboundedSender<Conn>>;

#[derive(Clone, Default)]
pub(super) struct MemoryNet(Arc<Mutex<Ports>>);

struct MemoryListener {
    incoming: mpsc::UnboundedReceiver<Conn>,
    local: SocketAddr,
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[async_trait]
impl Listener for MemoryListener {
    async fn accept(&mut self) -> io::Result<Conn> {
        match self.incoming.recv().await {
            Some(conn) => Ok(conn),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

#[async_trait]
impl Net for MemoryNet {
    async fn listen(&self, port: u16, _: SocketOptions) -> io::Result<Box<dyn Listener>> {
        let (sender, incoming) = mpsc::unbounded_channel();
        self.0.lock().expect("ports").insert(port, sender);
        Ok(Box::new(MemoryListener {
            incoming,
            local: address(port),
        }))
    }

    async fn connect(&self, _: &str, port: u16, _: SocketOptions) -> io::Result<Conn> {
        let (near, far) = tokio::io::duplex(64 << 10);
        let conn = |io| Conn {
            io: Box::new(io),
            local: address(0),
            peer: address(port),
        };
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let ports = self.0.lock().expect("ports");
        let sender = ports.get(&port).ok_or_else(refused)?;
        sender.send(conn(far)).map_err(|_| refused())?;
        Ok(conn(near))
    }

    fn resolve(&self, _: &str) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::LOCALHOST)
    }
}
