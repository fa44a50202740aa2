//! TCP connections between the inits of nodes, on which bytes go to and fro:
//! what a reset does is seen at both ends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
};

use crate::world::{ConnectionReport, End, PROBE_PORT};

use super::message::Answer;

/// From one exchange to the next.
const PAUSE_US: u64 = 20_000;
/// How long a connection may take to come up.
const LIMIT_US: u64 = 3_000_000;
/// Ends kept on one node; the oldest far end makes room.
const ENDS_MAX: usize = 256;
/// What is sent to and fro: the connection's number.
const WORD: usize = 8;

/// The end that connects.
struct Near {
    token: u64,
    stream: TcpStream,
    /// Whom to tell when it is up, and until when it may take.
    rising: Option<(u64, u64)>,
    end: End,
    exchanges: u32,
    /// Bytes of the present exchange that have come back; a whole word where the
    /// next is waited for.
    back: usize,
    due_us: u64,
}

/// The other end.
struct Far {
    token: Option<u64>,
    stream: TcpStream,
    end: End,
}

/// The connections of a node.
pub(super) struct Ties {
    listener: TcpListener,
    near: Vec<Near>,
    far: Vec<Far>,
}

impl Ties {
    /// Listens on [`PROBE_PORT`].
    pub(super) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROBE_PORT))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            near: Vec::new(),
            far: Vec::new(),
        })
    }

    /// To be polled, with what for.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let near = self.near.iter().filter(|near| near.end == End::Open);
        let near = near.map(|near| {
            let flags = match near.rising {
                Some(_) => PollFlags::POLLOUT,
                None => PollFlags::POLLIN,
            };
            (near.stream.as_fd(), flags)
        });
        let far = self.far.iter().filter(|far| far.end == End::Open);
        let far = far.map(|far| (far.stream.as_fd(), PollFlags::POLLIN));
        std::iter::once((self.listener.as_fd(), PollFlags::POLLIN))
            .chain(near)
            .chain(far)
    }

    /// When there is something to do without anything coming in.
    pub(super) fn due_us(&self) -> Option<u64> {
        let open = self.near.iter().filter(|near| near.end == End::Open);
        open.map(|near| near.rising.map_or(near.due_us, |(_, until)| until))
            .min()
    }

    /// Begins to connect; [`Ties::step`] answers `id` when it is up.
    pub(super) fn start(
        &mut self,
        (id, token): (u64, u64),
        to: Ipv4Addr,
        port: Option<u16>,
        now_us: u64,
    ) -> Result<(), String> {
        if self.near.len() >= ENDS_MAX {
            return Err(format!("{ENDS_MAX} connections are held already"));
        }
        let stream = begin(to, port).map_err(|error| format!("cannot connect: {error}"))?;
        self.near.push(Near {
            token,
            stream,
            rising: Some((id, now_us + LIMIT_US)),
            end: End::Open,
            exchanges: 0,
            back: WORD,
            due_us: now_us,
        });
        Ok(())
    }

    /// The end that connected from here; its far end is asked elsewhere.
    pub(super) fn near(&self, token: u64) -> Option<ConnectionReport> {
        let near = self.near.iter().find(|near| near.token == token)?;
        Some(ConnectionReport {
            near: near.end,
            far: None,
            exchanges: near.exchanges,
        })
    }

    /// The end that was connected to here.
    pub(super) fn far(&self, token: u64) -> Option<End> {
        let far = self.far.iter().find(|far| far.token == Some(token))?;
        Some(far.end)
    }

    /// Lets go of a connection from here.
    pub(super) fn release(&mut self, token: u64) {
        self.near.retain(|near| near.token != token);
    }

    /// Accepts, sends, reads, sends back; returns who is to be told what.
    pub(super) fn step(&mut self, now_us: u64) -> Vec<(u64, Answer)> {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                self.far.push(Far {
                    token: None,
                    stream,
                    end: End::Open,
                });
            }
            if self.far.len() > ENDS_MAX {
                self.far.remove(0);
            }
        }
        self.far.iter_mut().for_each(Far::step);
        let told: Vec<_> = self
            .near
            .iter_mut()
            .filter_map(|n| n.step(now_us))
            .collect();
        // One that never came up is of no use to anybody.
        self.near
            .retain(|near| near.rising.is_none() || near.end == End::Open);
        told
    }
}

impl Near {
    fn step(&mut self, now_us: u64) -> Option<(u64, Answer)> {
        if let Some((id, until_us)) = self.rising {
            return self.rise(id, until_us, now_us);
        }
        if self.end != End::Open {
            return None;
        }
        if let Err(end) = self.exchange(now_us) {
            self.end = end;
        }
        None
    }

    fn rise(&mut self, id: u64, until_us: u64, now_us: u64) -> Option<(u64, Answer)> {
        let failed = |error: String| Some((id, Answer::Failed(error)));
        let error = self.stream.take_error();
        if let Ok(Some(error)) | Err(error) = error {
            self.end = End::Ended;
            return failed(error.to_string());
        }
        if self.stream.peer_addr().is_ok() {
            self.rising = None;
            return Some((id, Answer::Connected));
        }
        if now_us >= until_us {
            self.end = End::Ended;
            return failed("it did not come up in 3 s".into());
        }
        None
    }

    fn exchange(&mut self, now_us: u64) -> Result<(), End> {
        let mut buffer = [0; WORD];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(End::Ended),
                Ok(count) => {
                    self.back += count;
                    self.exchanges += u32::from(self.back >= WORD);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(ended(&error)),
            }
        }
        if self.back >= WORD && now_us >= self.due_us {
            self.due_us = now_us + PAUSE_US;
            self.back = 0;
            let word = self.token.to_be_bytes();
            self.stream.write_all(&word).map_err(|e| ended(&e))?;
        } else if self.back < WORD {
            // The answer is waited for, and it wakes us.
            self.due_us = now_us + PAUSE_US;
        }
        Ok(())
    }
}

impl Far {
    fn step(&mut self) {
        while self.end == End::Open {
            let mut buffer = [0; WORD];
            let echoed = match self.stream.read(&mut buffer) {
                Ok(0) => Err(End::Ended),
                Ok(count) => {
                    if count == WORD {
                        self.token = Some(u64::from_be_bytes(buffer));
                    }
                    self.stream
                        .write_all(&buffer[..count])
                        .map_err(|e| ended(&e))
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => Err(ended(&error)),
            };
            if let Err(end) = echoed {
                self.end = end;
            }
        }
    }
}

fn ended(error: &io::Error) -> End {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => End::Reset,
        _ => End::Ended,
    }
}

/// Sends a SYN and does not wait.
fn begin(to: Ipv4Addr, port: Option<u16>) -> io::Result<TcpStream> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd: OwnedFd = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    if let Some(port) = port {
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        let any = SockaddrIn::from(std::net::SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
        bind(fd.as_raw_fd(), &any)?;
    }
    let to = SockaddrIn::from(std::net::SocketAddrV4::new(to, PROBE_PORT));
    match connect(fd.as_raw_fd(), &to) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let stream = TcpStream::from(fd);
    stream.set_nodelay(true)?;
    Ok(stream)
}
