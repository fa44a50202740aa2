//! The init of a node: pid 1 of its pid namespace.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::world::{Inquiry, NodeState, Supply};

use super::ahead;
use super::channel;
use super::check as health;
use super::echo::{Echo, ProbeOrder, monotonic_us};
use super::files::Limits;
use super::hog::Hog;
use super::kernel;
use super::message::{Answer, Ask, BootOrder, FromNode, Theft, ToNode};
use super::procs::{self, Procs};
use super::resolver::Resolver;
use super::setup::{self, Doing};
use super::theft::Thief;
use super::ties::Ties;
use super::volume::{self, Look};

/// How long processes may take to stop, go on or die.
const SIGNAL_LIMIT_US: u64 = 2_000_000;

/// How often that is looked at.
const SIGNAL_LOOK_US: u64 = 500;

/// How often a lookup is asked whether it has ended.
const LOOKUP_LOOK_US: u64 = 2_000;

/// An order that is done once the processes have reached a state.
struct Pending {
    id: u64,
    reached: fn(NodeState) -> bool,
    until_us: u64,
}

struct NodeInit {
    control: OwnedFd,
    deaths: SignalFd,
    echo: Echo,
    ties: Ties,
    resolver: Resolver,
    procs: Procs,
    pending: Vec<Pending>,
    hung: bool,
    thief: Option<Thief>,
    limits: Limits,
    hogs: Vec<Hog>,
    looks: Vec<health::Look>,
}

/// Runs the init. `fds`: its control socket, the log, the services' wires.
pub(super) fn main(order: BootOrder, fds: Vec<OwnedFd>) -> ! {
    let mut fds = fds.into_iter();
    let (Some(control), Some(log)) = (fds.next(), fds.next()) else {
        std::process::exit(1)
    };
    let _ = nix::unistd::dup2_stderr(&log);
    let code = match start(control, log, fds.collect(), &order) {
        Ok(mut init) => match init.serve() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("node init: {error}");
                1
            }
        },
        Err(error) => {
            eprintln!("node init: {error}");
            1
        }
    };
    // The kernel ends every process of the node with its pid 1.
    std::process::exit(code)
}

fn start(
    control: OwnedFd,
    log: OwnedFd,
    wires: Vec<OwnedFd>,
    order: &BootOrder,
) -> Result<NodeInit, String> {
    match prepare(log, wires, order) {
        Ok((tap, volumes, notes, deaths, (echo, ties, resolver), procs)) => {
            let handles: Vec<_> = tap.iter().chain(&volumes).map(AsFd::as_fd).collect();
            channel::send(control.as_fd(), &FromNode::Up(notes), &handles)
                .doing("hand over the device")?;
            Ok(NodeInit {
                control,
                deaths,
                echo,
                ties,
                resolver,
                procs,
                pending: Vec::new(),
                hung: false,
                thief: None,
                limits: Limits::default(),
                hogs: Vec::new(),
                looks: Vec::new(),
            })
        }
        Err(error) => {
            let _ = channel::send(control.as_fd(), &FromNode::Broken(error.clone()), &[]);
            Err(error)
        }
    }
}

type Parts = (
    Option<OwnedFd>,
    Vec<OwnedFd>,
    Vec<String>,
    SignalFd,
    (Echo, Ties, Resolver),
    Procs,
);

fn prepare(log: OwnedFd, wires: Vec<OwnedFd>, order: &BootOrder) -> Result<Parts, String> {
    // A container's parent is the engine's, which outlives us; it ends with its
    // control socket.
    match order.contained {
        true if order.guest => {}
        true => setup::next_clock(order.clock_offset_ns)?,
        false => set_pdeathsig(Signal::SIGKILL).doing("bind its life to the site's")?,
    }
    kernel::reap_by_itself(false).doing("wait for its children")?;
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().doing("block a signal")?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let deaths = SignalFd::with_flags(&mask, flags).doing("watch for deaths")?;
    let prepared = setup::node(order)?;
    let volumes = volume::mount_all(&order.volumes)?;
    // The init of a container has the host's clock: only its children's is new.
    let ahead_us = match order.contained {
        true => 0,
        false => order.clock_offset_ns.unwrap_or(0) / 1_000,
    };
    let echo = Echo::open(ahead_us).doing("open the probe socket")?;
    let ties = Ties::open().doing("open the probe listener")?;
    let resolver = match order.guest {
        // Nobody there asks us, and the port may be taken.
        true => Resolver::deaf(),
        false => Resolver::open(order.hosts.clone(), order.names.clone()),
    };
    let resolver = resolver.doing("open the name server's socket")?;
    let procs = Procs::start(&order.services, log, wires, prepared.own_proc)?;
    Ok((
        prepared.tap,
        volumes,
        prepared.notes,
        deaths,
        (echo, ties, resolver),
        procs,
    ))
}

impl NodeInit {
    /// Until the harness closes the control socket.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            let wait = self.next_look();
            let mut watched = vec![
                PollFd::new(self.control.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.deaths.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.resolver.as_fd(), PollFlags::POLLIN),
            ];
            let probes = self.echo.sockets().map(|fd| (fd, PollFlags::POLLIN));
            let sockets = probes.chain(self.ties.sockets());
            watched.extend(sockets.map(|(fd, flags)| PollFd::new(fd, flags)));
            match poll(&mut watched, wait) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let asked = watched[0].any() == Some(true);
            drop(watched);
            if asked {
                match channel::receive(self.control.as_fd())? {
                    Some((word, fds)) => self.asked(word, fds)?,
                    None => return Ok(()),
                }
            }
            self.reap()?;
            let mut answers = self.echo.step(monotonic_us());
            answers.extend(self.ties.step(monotonic_us()));
            self.resolver.step();
            answers.extend(self.resolver.looked_up());
            for (id, answer) in answers {
                self.reply(id, answer)?;
            }
            self.settle()?;
            if let Some(thief) = &mut self.thief {
                thief.step(monotonic_us(), &self.procs, self.hung)?;
            }
        }
    }

    fn next_look(&self) -> PollTimeout {
        let now = monotonic_us();
        let signal = (!self.pending.is_empty()).then_some(SIGNAL_LOOK_US);
        let due = self.echo.due_us().into_iter().chain(self.ties.due_us());
        let due = due.chain(self.thief.as_ref().map(Thief::due_us));
        let due = due.map(|due| due.saturating_sub(now));
        let lookup = self.resolver.is_waiting().then_some(LOOKUP_LOOK_US);
        match signal.into_iter().chain(due).chain(lookup).min() {
            // Rounded up, so that a wait below 1 ms is not a busy loop.
            Some(us) => PollTimeout::try_from(us.div_ceil(1000)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        }
    }

    fn asked(&mut self, word: ToNode, wires: Vec<OwnedFd>) -> io::Result<()> {
        let id = word.id;
        let (signal, reached): (Signal, fn(NodeState) -> bool) = match word.ask {
            Ask::Hang => {
                self.hung = true;
                (Signal::SIGSTOP, |state| state != NodeState::Running)
            }
            Ask::Resume => {
                self.hung = false;
                (Signal::SIGCONT, |state| state != NodeState::Stopped)
            }
            Ask::Kill => {
                self.hung = false;
                (Signal::SIGKILL, |state| state == NodeState::Empty)
            }
            Ask::Start {
                services,
                clock_offset_ns,
            } => {
                let clock = setup::next_clock(clock_offset_ns);
                let started = clock.and_then(|()| self.procs.add(&services, wires));
                return self.reply(id, done(started));
            }
            Ask::Inquire(Inquiry::Clock) => {
                let answer = match ahead::ahead_us() {
                    Ok(ahead_us) => Answer::Supply(Supply::Clock(ahead_us)),
                    Err(error) => Answer::Failed(format!("no clock was read: {error}")),
                };
                return self.reply(id, answer);
            }
            Ask::Steal(theft) => return self.steal(id, theft),
            Ask::Files(leave) => {
                let pids = self.procs.numbers();
                let changed = match leave {
                    Some(leave) => self.limits.lower(&pids, leave),
                    None => self.limits.lift(&pids),
                };
                return self.reply(id, done(changed));
            }
            Ask::Inquire(Inquiry::Files) => {
                let files = self.procs.files();
                return self.reply(id, Answer::Supply(Supply::Files(files)));
            }
            Ask::Inquire(Inquiry::Memory { bytes }) => {
                return match Hog::start(id, bytes) {
                    Ok(hog) => {
                        self.hogs.push(hog);
                        Ok(())
                    }
                    Err(error) => self.reply(id, Answer::Failed(error.to_string())),
                };
            }
            Ask::Sockets => {
                let answer = match self.procs.sockets() {
                    Ok(sockets) => Answer::Sockets(sockets),
                    Err(error) => Answer::Failed(format!("no socket was read: {error}")),
                };
                return self.reply(id, answer);
            }
            Ask::Check { service, argv } => return self.look_at(id, &service, &argv),
            Ask::State => return self.reply(id, Answer::State(self.procs.state())),
            Ask::Disk {
                folder,
                probe,
                keep,
            } => {
                let asked = probe;
                let it = Look {
                    id,
                    folder,
                    asked,
                    keep,
                };
                volume::look(it, self.control.try_clone()?);
                return Ok(());
            }
            ask => return self.asked_of_network(id, ask),
        };
        self.procs.signal_all(signal)?;
        self.pending.push(Pending {
            id,
            reached,
            until_us: monotonic_us() + SIGNAL_LIMIT_US,
        });
        Ok(())
    }

    fn look_at(&mut self, id: u64, service: &str, argv: &[String]) -> io::Result<()> {
        let log = self.procs.log()?;
        let started = match self.procs.of(service) {
            Some(of) => health::Look::start(id, of, argv, log).map_err(|error| error.to_string()),
            None => Err(format!("service `{service}` does not run")),
        };
        match started {
            Ok(look) => {
                self.looks.push(look);
                Ok(())
            }
            Err(error) => self.reply(id, Answer::Failed(error)),
        }
    }

    fn steal(&mut self, id: u64, theft: Option<Theft>) -> io::Result<()> {
        self.thief = theft.map(|theft| Thief::new(theft, monotonic_us()));
        if self.thief.is_none() && !self.hung {
            self.procs.signal_all(Signal::SIGCONT)?;
        }
        self.reply(id, Answer::Done)
    }

    fn asked_of_network(&mut self, id: u64, ask: Ask) -> io::Result<()> {
        let answer = match ask {
            Ask::Arrived(token) => Answer::Arrived(self.echo.take_arrived(token)),
            Ask::Checksums => match procs::bad_checksums() {
                Ok(count) => Answer::Checksums(count),
                Err(error) => Answer::Failed(format!("no counters: {error}")),
            },
            Ask::Near(token) => Answer::Near(self.ties.near(token)),
            Ask::Far(token) => Answer::Far(self.ties.far(token)),
            Ask::Release(token) => {
                self.ties.release(token);
                Answer::Done
            }
            Ask::Names(rules) => {
                self.resolver.mislead(rules);
                Answer::Done
            }
            Ask::Lookup(name) => match self.resolver.look_up(id, name) {
                Ok(()) => return Ok(()),
                Err(error) => Answer::Failed(format!("no thread: {error}")),
            },
            Ask::Connect { token, to, port } => {
                let now_us = monotonic_us();
                match self.ties.start((id, token), to, port, now_us) {
                    Ok(()) => return Ok(()),
                    Err(error) => Answer::Failed(error),
                }
            }
            Ask::Probe {
                token,
                to,
                count,
                interval_us,
                wait_us,
                payload,
                port,
            } => {
                let order = ProbeOrder {
                    id,
                    token,
                    to,
                    count,
                    interval_us,
                    wait_us,
                    payload,
                    port,
                };
                match self.echo.start(order) {
                    Ok(()) => return Ok(()),
                    Err(error) => Answer::Failed(error),
                }
            }
            Ask::Hang
            | Ask::Resume
            | Ask::Kill
            | Ask::State
            | Ask::Check { .. }
            | Ask::Start { .. }
            | Ask::Disk { .. }
            | Ask::Steal(_)
            | Ask::Files(_)
            | Ask::Inquire(_)
            | Ask::Sockets => return Ok(()),
        };
        self.reply(id, answer)
    }

    fn reap(&mut self) -> io::Result<()> {
        while let Ok(Some(_)) = self.deaths.read_signal() {}
        let (ended, others) = self.procs.reap();
        for (pid, fine) in others {
            if let Some(at) = self.hogs.iter().position(|hog| hog.is(pid)) {
                let hog = self.hogs.swap_remove(at);
                self.reply(hog.id, Answer::Supply(Supply::Memory(fine)))?;
            }
            if let Some(at) = self.looks.iter().position(|look| look.is(pid)) {
                let look = self.looks.swap_remove(at);
                self.reply(look.id, Answer::Checked(fine))?;
            }
        }
        for (service, how) in ended {
            channel::send(
                self.control.as_fd(),
                &FromNode::Exited { service, how },
                &[],
            )?;
        }
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let state = self.procs.state();
        let now = monotonic_us();
        let (done, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|order| (order.reached)(state) || now > order.until_us);
        self.pending = pending;
        for order in done {
            let answer = if (order.reached)(state) {
                Answer::State(state)
            } else {
                Answer::Failed(format!("its processes are still {state:?} after 2 s"))
            };
            self.reply(order.id, answer)?;
        }
        Ok(())
    }

    fn reply(&self, id: u64, answer: Answer) -> io::Result<()> {
        channel::send(self.control.as_fd(), &FromNode::Reply(id, answer), &[])
    }
}

fn done<E: ToString>(result: Result<(), E>) -> Answer {
    match result {
        Ok(()) => Answer::Done,
        Err(error) => Answer::Failed(error.to_string()),
    }
}
