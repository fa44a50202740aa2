//! The init of a node: pid 1 of its pid namespace.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::world::NodeState;

use super::channel;
use super::echo::{Echo, ProbeOrder, monotonic_us};
use super::kernel;
use super::message::{Answer, Ask, BootOrder, FromNode, ToNode};
use super::procs::Procs;
use super::setup::{self, Doing};
use super::volume::{self, Look};

/// How long processes may take to stop, go on or die.
const SIGNAL_LIMIT_US: u64 = 2_000_000;

/// How often that is looked at.
const SIGNAL_LOOK_US: u64 = 500;

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
    procs: Procs,
    pending: Vec<Pending>,
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
    match prepare(&log, wires, order) {
        Ok((tap, volumes, notes, deaths, echo, procs)) => {
            let handles: Vec<_> = std::iter::once(&tap)
                .chain(&volumes)
                .map(AsFd::as_fd)
                .collect();
            channel::send(control.as_fd(), &FromNode::Up(notes), &handles)
                .doing("hand over the device")?;
            Ok(NodeInit {
                control,
                deaths,
                echo,
                procs,
                pending: Vec::new(),
            })
        }
        Err(error) => {
            let _ = channel::send(control.as_fd(), &FromNode::Broken(error.clone()), &[]);
            Err(error)
        }
    }
}

type Parts = (OwnedFd, Vec<OwnedFd>, Vec<String>, SignalFd, Echo, Procs);

fn prepare(log: &OwnedFd, wires: Vec<OwnedFd>, order: &BootOrder) -> Result<Parts, String> {
    set_pdeathsig(Signal::SIGKILL).doing("bind its life to the site's")?;
    kernel::reap_by_itself(false).doing("wait for its children")?;
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().doing("block a signal")?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let deaths = SignalFd::with_flags(&mask, flags).doing("watch for deaths")?;
    let prepared = setup::node(order)?;
    let volumes = volume::mount_all(&order.volumes)?;
    let echo = Echo::open().doing("open the probe socket")?;
    let procs = Procs::start(&order.services, log, wires, prepared.own_proc)?;
    Ok((prepared.tap, volumes, prepared.notes, deaths, echo, procs))
}

impl NodeInit {
    /// Until the harness closes the control socket.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            let wait = self.next_look();
            let mut watched = [
                PollFd::new(self.control.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.deaths.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.echo.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut watched, wait) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let asked = watched[0].any() == Some(true);
            if asked {
                match channel::receive(self.control.as_fd())? {
                    Some((word, _)) => self.asked(word)?,
                    None => return Ok(()),
                }
            }
            self.reap()?;
            for (id, answer) in self.echo.step(monotonic_us()) {
                self.reply(id, answer)?;
            }
            self.settle()?;
        }
    }

    fn next_look(&self) -> PollTimeout {
        let now = monotonic_us();
        let signal = (!self.pending.is_empty()).then_some(SIGNAL_LOOK_US);
        let probe = self.echo.due_us().map(|due| due.saturating_sub(now));
        match signal.into_iter().chain(probe).min() {
            // Rounded up, so that a wait below 1 ms is not a busy loop.
            Some(us) => PollTimeout::try_from(us.div_ceil(1000)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        }
    }

    fn asked(&mut self, word: ToNode) -> io::Result<()> {
        let id = word.id;
        let (signal, reached): (Signal, fn(NodeState) -> bool) = match word.ask {
            Ask::Hang => (Signal::SIGSTOP, |state| state != NodeState::Running),
            Ask::Resume => (Signal::SIGCONT, |state| state != NodeState::Stopped),
            Ask::Kill => (Signal::SIGKILL, |state| state == NodeState::Empty),
            Ask::State => return self.reply(id, Answer::State(self.procs.state())),
            Ask::Arrived(token) => {
                let count = self.echo.arrived(token);
                return self.reply(id, Answer::Arrived(count));
            }
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
            Ask::Probe {
                token,
                to,
                count,
                interval_us,
                wait_us,
            } => {
                self.echo.start(ProbeOrder {
                    id,
                    token,
                    to,
                    count,
                    interval_us,
                    wait_us,
                });
                return Ok(());
            }
        };
        self.procs.signal_all(signal)?;
        self.pending.push(Pending {
            id,
            reached,
            until_us: monotonic_us() + SIGNAL_LIMIT_US,
        });
        Ok(())
    }

    fn reap(&mut self) -> io::Result<()> {
        while let Ok(Some(_)) = self.deaths.read_signal() {}
        for (service, how) in self.procs.reap() {
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
