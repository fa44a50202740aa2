//! The handle to the switch.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::{Clock, Micros};
use crate::world::{LinkRule, PortCounters, RuleCounters, RuleId};

use super::capture::Tape;
use super::control::{Control, Socket};
use super::forward::Forwarder;
use super::port::{Gate, Life};
use super::reactor::{Bell, Reactor, Tap, now};
use super::reaper::Reaper;
use super::tap;
use super::view::{Published, lock};

/// How long to wait for the switch's thread before going on without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a switch is started.
#[derive(Debug)]
pub struct SwitchConfig {
    /// Seed of the loss and jitter decisions.
    pub seed: u64,
    /// The run's clock.
    pub clock: Clock,
    /// Where every frame that enters the switch is written as pcapng, one
    /// interface per port, frames that were dropped on entry with a comment.
    /// Turns segmentation offload off, so that frames and their checksums are
    /// complete.
    pub pcap: Option<std::fs::File>,
    /// Whether the devices may hand over segments of up to 64 kB. Senders under
    /// a rule for single packets hand over single packets all the same.
    pub offload: bool,
}

/// The switch: one thread that forwards Ethernet frames between the devices of
/// the nodes. Dropping it stops the thread and closes every device.
///
/// Unicast frames go to the port that owns the address, frames for groups to
/// every lit port, and frames for unknown addresses nowhere.
pub struct Switch {
    clock: Clock,
    control: Mutex<Control>,
    /// Held by whoever switches offload, before the lock on `control`.
    fitting: Mutex<()>,
    published: Arc<Published<Tap>>,
    gate: Arc<Gate>,
    bell: Arc<Bell>,
    tape: Mutex<Option<Tape>>,
    thread: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    reaper: Reaper,
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = lock(&self.control);
        let names = control.ports.iter().map(|port| &port.name);
        f.debug_list().entries(names).finish()
    }
}

impl Switch {
    /// Starts the switch on a thread of its own.
    ///
    /// # Errors
    /// When the kernel gives no epoll instance, timer, eventfd or thread, or
    /// the head of the capture cannot be written.
    pub fn start(config: SwitchConfig) -> io::Result<Switch> {
        let offload = config.offload && config.pcap.is_none();
        let (tape, writer) = match config.pcap {
            Some(file) => {
                let (tape, writer) = Tape::start(file, config.clock)?;
                (Some(tape), Some(writer))
            }
            None => (None, None),
        };
        let published = Arc::new(Published::new());
        let gate = Arc::new(Gate::default());
        let bell = Arc::new(Bell::new()?);
        let reaper = Reaper::start()?;
        let forwarder = Forwarder::new(
            config.seed,
            Arc::clone(&published),
            Arc::clone(&gate),
            tape.clone(),
        );
        let reactor = Reactor::new(Arc::clone(&bell), forwarder);
        let thread = std::thread::Builder::new()
            .name("switch".into())
            .spawn(move || reactor.run())?;
        Ok(Self {
            clock: config.clock,
            control: Mutex::new(Control::new(offload)),
            fitting: Mutex::new(()),
            published,
            gate,
            bell,
            tape: Mutex::new(tape),
            thread: Some(thread),
            writer,
            reaper,
        })
    }

    /// Adds a port for a node. It is dark until [`Switch::light`]. Forwarding
    /// goes by `mac`; `ip` is for the log.
    pub fn add_port(&self, name: &str, mac: [u8; 6], ip: Ipv4Addr) {
        tracing::debug!(name, %ip, "port added");
        self.add(&Socket {
            name,
            owner: name,
            segment: 0,
            uplink: false,
            mac,
        });
    }

    /// Adds a port on a network of its own number, for a node that has several.
    /// It darkens with its owner, whose rules act on it.
    pub fn add_side_port(&self, name: &str, owner: &str, segment: usize, mac: [u8; 6]) {
        self.add(&Socket {
            name,
            owner,
            segment,
            uplink: false,
            mac,
        });
    }

    /// Adds a port behind which all is that is on no port of a network.
    pub fn add_uplink(&self, name: &str, segment: usize) {
        self.add(&Socket {
            name,
            owner: name,
            segment,
            uplink: true,
            mac: [0; 6],
        });
    }

    fn add(&self, socket: &Socket<'_>) {
        let mut control = lock(&self.control);
        if control.add(socket)
            && let Some(tape) = &*lock(&self.tape)
        {
            tape.port(socket.name, socket.mac);
        }
        self.publish(&control);
    }

    /// Attaches a TAP device to a port and lights it; its counters start anew.
    /// A port that was lit is darkened first.
    ///
    /// # Errors
    /// When there is no such port, the descriptor is no TAP device, or it
    /// cannot be watched.
    pub fn light(&self, name: &str, tap: OwnedFd) -> io::Result<()> {
        self.darken(&[name.to_string()]);
        let at = self.number(name)?;
        let offload = lock(&self.control).wants_offload(at);
        tap::set_offload(tap.as_fd(), offload)?;
        self.attach(at, tap, Some(offload))
    }

    /// As [`Switch::light`], with a device that hands over what it gets: rules
    /// for single packets act on large segments there.
    ///
    /// # Errors
    /// When there is no such port, or the device cannot be watched.
    pub fn light_as_is(&self, name: &str, device: OwnedFd) -> io::Result<()> {
        let at = self.number(name)?;
        self.attach(at, device, None)
    }

    fn number(&self, name: &str) -> io::Result<usize> {
        let found = lock(&self.control).find(name);
        let none = || io::Error::new(io::ErrorKind::NotFound, format!("no port `{name}`"));
        found.ok_or_else(none)
    }

    fn attach(&self, at: usize, device: OwnedFd, offload: Option<bool>) -> io::Result<()> {
        let life = Arc::new(Life::new(at, Tap(device)));
        {
            let mut control = lock(&self.control);
            control.light(&life, offload);
            // The view comes first, so that the first event finds its port.
            self.publish(&control);
            if let Err(error) = self.bell.watch(at, &life.device) {
                control.ports[at].life = None;
                self.publish(&control);
                return Err(error);
            }
        }
        self.bell.ring();
        self.fit_offload();
        Ok(())
    }

    /// Switches segmentation offload of every lit port to what the rules need.
    /// The kernel may take milliseconds for each, so this holds up no power
    /// cut.
    fn fit_offload(&self) {
        let _turn = lock(&self.fitting);
        let misfits = lock(&self.control).misfits();
        for (life, wanted) in misfits {
            match tap::set_offload(life.device.as_fd(), wanted) {
                Ok(()) => lock(&self.control).fitted(&life, wanted),
                Err(error) => {
                    tracing::warn!(port = life.port, %error, "could not switch offload");
                }
            }
        }
    }

    /// Darkens ports, all at one instant. Returns when no frame of theirs can
    /// leave any more: for each, its name, when it went dark, and its counters.
    /// Frames of theirs that a delay still holds, in either direction, are
    /// lost. The devices are closed after that, on another thread. A port that
    /// was dark keeps its earlier time; unknown names are left out.
    pub fn darken(&self, names: &[String]) -> Vec<(String, Micros, PortCounters)> {
        let mut control = lock(&self.control);
        let at: Vec<usize> = names.iter().flat_map(|name| control.of(name)).collect();
        let take = |at: &usize| control.ports[*at].life.take();
        let lives: Vec<Arc<Life<Tap>>> = at.iter().filter_map(take).collect();
        lives.iter().for_each(|life| life.darken());
        let give_up_us = self.clock.now_us() + PATIENCE.as_micros() as u64;
        if !self.gate.settle(|| self.clock.now_us() > give_up_us) {
            tracing::error!("the switch hangs in a write; a frame may leave after the cut");
        }
        lives.iter().for_each(|life| life.declare_dark());
        let dark_us = self.clock.now_us();
        let report = at.iter().map(|at| {
            let port = &mut control.ports[*at];
            let when = *port.dark_us.get_or_insert(dark_us);
            (port.name.clone(), when, port.counters.read())
        });
        let report = report.collect();
        self.bury(&control, lives);
        report
    }

    /// Takes the devices of dark lives from the thread and has them closed.
    fn bury(&self, control: &Control, lives: Vec<Arc<Life<Tap>>>) {
        if lives.is_empty() {
            return;
        }
        for life in &lives {
            self.bell.unwatch(&life.device);
        }
        let generation = self.publish(control);
        self.bell.ring();
        if !self.published.wait_adopted(generation, PATIENCE) {
            tracing::error!("the switch does not answer");
        }
        for life in lives {
            self.reaper.close(life);
        }
    }

    /// Installs a rule; it acts on the next frame. Each ordered pair of nodes
    /// has its own queue, jitter and losses. A drop also takes the frames that
    /// are on their way.
    ///
    /// # Errors
    /// Names the first node that has no port.
    pub fn install(&self, rule: LinkRule) -> Result<RuleId, String> {
        let id = {
            let mut control = lock(&self.control);
            let Control { ports, rules, .. } = &mut *control;
            let find = |name: &str| -> Vec<usize> {
                let ports = ports.iter().enumerate();
                let own = ports.filter(|(_, port)| port.owner == name);
                own.map(|(at, _)| at).collect()
            };
            rules.install(&rule, now(), find)?
        };
        // Single packets first, so that the rule finds few large segments.
        self.fit_offload();
        self.publish(&lock(&self.control));
        Ok(id)
    }

    /// Takes a rule off; an unknown id is no error. Frames that it holds leave
    /// when they are due.
    pub fn remove(&self, id: RuleId) {
        {
            let mut control = lock(&self.control);
            if !control.rules.remove(id) {
                return;
            }
            self.publish(&control);
        }
        self.fit_offload();
    }

    /// What a rule has met, also after it was removed.
    pub fn rule_counters(&self, id: RuleId) -> Option<RuleCounters> {
        lock(&self.control).rules.counters(id)
    }

    /// The counters of a port, of its life or its last one; `None` when there
    /// is no such port.
    pub fn counters(&self, name: &str) -> Option<PortCounters> {
        let control = lock(&self.control);
        let at = control.find(name)?;
        Some(control.ports[at].counters.read())
    }

    /// Frames that the capture missed because the disk was too slow or full.
    pub fn capture_missed(&self) -> u64 {
        lock(&self.tape).as_ref().map_or(0, Tape::missed)
    }

    /// Darkens every port and closes every device.
    pub fn detach_all(&self) {
        let names = |control: &Control| -> Vec<String> {
            control.ports.iter().map(|port| port.name.clone()).collect()
        };
        let names = names(&lock(&self.control));
        self.darken(&names);
    }

    fn publish(&self, control: &Control) -> u64 {
        self.published.publish(control.view())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.detach_all();
        self.bell.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        // The writer ends when the last tape is gone.
        *lock(&self.tape) = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

#[cfg(test)]
mod tests;
