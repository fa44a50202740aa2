//! The name server of a node, in its init: `/etc/resolv.conf` leads here, so
//! that whatever resolves names on the node asks it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc;

use crate::units::Span;
use crate::world::{Lookup, NameAnswer, NameRule};

use super::echo::monotonic_us;
use super::kernel;
use super::message::Answer;

mod query;

use query::Query;

/// Where resolvers ask.
const PORT: u16 = 53;
/// How many questions are read in one go.
const READS_MAX: usize = 64;

/// Answers questions for the names of the site.
pub(super) struct Resolver {
    socket: UdpSocket,
    hosts: BTreeMap<String, Ipv4Addr>,
    /// What is answered instead; the first that hits wins.
    rules: Vec<NameRule>,
    /// Lookups from here, with whom to tell.
    asked: Vec<(u64, mpsc::Receiver<Lookup>)>,
}

impl Resolver {
    /// Listens on the loopback address.
    pub(super) fn open(
        hosts: BTreeMap<String, Ipv4Addr>,
        rules: Vec<NameRule>,
    ) -> io::Result<Self> {
        Self::at(PORT, hosts, rules)
    }

    /// One that nobody asks.
    pub(super) fn deaf() -> io::Result<Self> {
        Self::at(0, BTreeMap::new(), Vec::new())
    }

    fn at(port: u16, hosts: BTreeMap<String, Ipv4Addr>, rules: Vec<NameRule>) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            hosts,
            rules,
            asked: Vec::new(),
        })
    }

    /// To be polled for reading.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Looks a name up on a thread of its own, as a program would: this one has
    /// to answer it meanwhile. What comes of it, [`Resolver::looked_up`] tells.
    pub(super) fn look_up(&mut self, id: u64, name: String) -> io::Result<()> {
        let (tell, told) = mpsc::channel();
        let begun_us = monotonic_us();
        std::thread::Builder::new().spawn(move || {
            let found = kernel::look_up(&name);
            let took = Span::from_micros(monotonic_us().saturating_sub(begun_us));
            // An init that does not wait any more is about to end.
            let _ = tell.send(Lookup { found, took });
        })?;
        self.asked.push((id, told));
        Ok(())
    }

    /// Whether a lookup is under way.
    pub(super) fn is_waiting(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The lookups that have ended.
    pub(super) fn looked_up(&mut self) -> Vec<(u64, Answer)> {
        let mut ended = Vec::new();
        self.asked.retain(|(id, told)| match told.try_recv() {
            Ok(lookup) => {
                ended.push((*id, Answer::Lookup(lookup)));
                false
            }
            Err(mpsc::TryRecvError::Empty) => true,
            Err(mpsc::TryRecvError::Disconnected) => {
                ended.push((*id, Answer::Failed("the lookup ended early".into())));
                false
            }
        });
        ended
    }

    /// Answers by these rules from now on.
    pub(super) fn mislead(&mut self, rules: Vec<NameRule>) {
        self.rules = rules;
    }

    /// Reads and answers.
    pub(super) fn step(&mut self) {
        let mut buffer = [0; 1_500];
        for _ in 0..READS_MAX {
            let (count, from) = match self.socket.recv_from(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error of an earlier answer; the queue goes on.
                Err(_) => continue,
            };
            if let Some(answer) = answer(&self.hosts, &self.rules, &buffer[..count]) {
                // Who has gone away needs no answer.
                let _ = self.socket.send_to(&answer, from);
            }
        }
    }
}

/// The answer to a message; nothing where there is to be none.
fn answer(
    hosts: &BTreeMap<String, Ipv4Addr>,
    rules: &[NameRule],
    message: &[u8],
) -> Option<Vec<u8>> {
    let query = Query::parse(message)?;
    let hits = |rule: &&NameRule| rule.names.is_empty() || rule.names.contains(&query.name);
    let known = hosts.get(&query.name).copied();
    match rules.iter().find(hits).map(|rule| &rule.answer) {
        Some(NameAnswer::Silence) => None,
        Some(NameAnswer::Nxdomain) => Some(query.refused(query::NXDOMAIN)),
        Some(NameAnswer::Servfail) => Some(query.refused(query::SERVFAIL)),
        Some(NameAnswer::AddressOf(other)) => Some(match hosts.get(other) {
            Some(ip) => query.answered(*ip),
            None => query.refused(query::SERVFAIL),
        }),
        None => match known {
            Some(ip) => Some(query.answered(ip)),
            None => Some(query.refused(query::NXDOMAIN)),
        },
    }
}

#[cfg(test)]
mod tests;
