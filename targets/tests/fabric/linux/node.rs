//! A network namespace with a thread that lives in it.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use nix::sched::{CloneFlags, unshare};
use ridethrough_targets::fabric::{Switch, tap};

/// What nodes' devices are called inside their namespaces.
pub(crate) const DEVICE: &str = "eth0";
/// The MTU of their devices.
pub(crate) const MTU: u32 = 1500;

type Job = Box<dyn FnOnce() + Send>;

/// A host: a thread in a network namespace of its own. Sockets that it opens
/// belong to that namespace, wherever they are used afterwards.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) ip: Ipv4Addr,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// A namespace with its loopback device up.
    pub(crate) fn new(number: u8) -> io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let thread = std::thread::spawn(move || {
            while let Ok(job) = inbox.recv() {
                job();
            }
        });
        let node = Self {
            name: format!("n{number}"),
            ip: Ipv4Addr::new(10, 99, 0, number),
            jobs: Some(jobs),
            thread: Some(thread),
        };
        node.run(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            tap::loopback_up()
        })?;
        Ok(node)
    }

    /// Runs something inside the namespace.
    pub(crate) fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> R {
        let (answer, result) = channel();
        let job: Job = Box::new(move || drop(answer.send(job())));
        let jobs = self.jobs.as_ref().expect("the node runs");
        jobs.send(job).expect("the node's thread runs");
        result.recv().expect("the job did not panic")
    }

    /// The hardware address of the node.
    pub(crate) fn mac(&self) -> [u8; 6] {
        let [a, b, c, d] = self.ip.octets();
        [0x02, 0x72, a, b, c, d]
    }

    /// Makes the node's device.
    pub(crate) fn tap(&self, offload: bool) -> io::Result<OwnedFd> {
        let (mac, ip) = (self.mac(), self.ip);
        self.run(move || tap::create_tap(DEVICE, mac, ip, 24, MTU, offload))
    }

    /// Adds the node to a switch and lights it.
    pub(crate) fn join(&self, switch: &Switch, offload: bool) -> io::Result<()> {
        switch.add_port(&self.name, self.mac(), self.ip);
        switch.light(&self.name, self.tap(offload)?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
