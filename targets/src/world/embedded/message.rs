//! What the harness and its init processes say to each other.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::enclosure::Enclosure;
use crate::disk::{DiskProbe, DiskReport};
use crate::world::{ConnectionReport, End, Inquiry, Lookup, NameRule, NodeState, Socket, Supply};

/// The first message to the warden: how the site is to be made.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) struct SiteOrder {
    /// Enter a user namespace first, mapping this user and group to root.
    pub(in crate::world) user: Option<(u32, u32)>,
    /// Becomes `/etc/hosts` of every node that cannot be told whom to ask.
    pub(in crate::world) hosts_file: PathBuf,
    /// Becomes `/etc/hosts` of every other node.
    pub(in crate::world) bare_hosts_file: PathBuf,
    /// Becomes `/etc/resolv.conf` of every node.
    pub(in crate::world) resolv_file: PathBuf,
}

/// From the harness to the init of the site. Beside it: the node's control
/// socket, its log, and the wire of each built-in service, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) struct BootOrder {
    /// Tells answers apart.
    pub(in crate::world) id: u64,
    /// The node's name.
    pub(in crate::world) node: String,
    /// Its address.
    pub(in crate::world) ip: Ipv4Addr,
    /// The length of the fabric's prefix.
    pub(in crate::world) prefix: u8,
    /// Its hardware address.
    pub(in crate::world) mac: [u8; 6],
    /// Whether its device may hand over large segments.
    pub(in crate::world) offload: bool,
    /// Whether its namespaces are there already: it is the init of a container.
    pub(in crate::world) contained: bool,
    /// Whether it is a guest in somebody else's container: it has no device, no
    /// clock and no services of its own there, and only probes.
    pub(in crate::world) guest: bool,
    /// Becomes the kernel's `boot_id`.
    pub(in crate::world) boot_id_file: PathBuf,
    /// What its monotonic clock shows above the host's, in nanoseconds; `None`
    /// where there are no time namespaces.
    pub(in crate::world) clock_offset_ns: Option<i64>,
    /// The names of the site.
    pub(in crate::world) hosts: BTreeMap<String, Ipv4Addr>,
    /// What its resolver answers instead.
    pub(in crate::world) names: Vec<NameRule>,
    /// What it mounts, in order.
    pub(in crate::world) volumes: Vec<VolumeOrder>,
    /// What it runs.
    pub(in crate::world) services: Vec<ServiceOrder>,
}

/// One volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::world) struct VolumeOrder {
    /// The service that it belongs to.
    pub(in crate::world) service: String,
    /// Where it is mounted.
    pub(in crate::world) folder: PathBuf,
    /// What it is made of.
    pub(in crate::world) means: VolumeMeans,
}

/// What a volume is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::world) enum VolumeMeans {
    /// An ext4 file system in a file.
    Ext4 {
        /// The file.
        image: PathBuf,
    },
    /// The harness serves it over FUSE.
    Fuse,
}

/// One service process.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) struct ServiceOrder {
    /// Its name.
    pub(in crate::world) name: String,
    /// What to execute; `None` for a built-in service, which has a wire.
    pub(in crate::world) command: Option<CommandOrder>,
}

/// A program of the host.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) struct CommandOrder {
    /// Program and arguments.
    pub(in crate::world) argv: Vec<String>,
    /// Environment beside a minimal one.
    pub(in crate::world) env: Vec<(String, String)>,
    /// What it sees of the host.
    pub(in crate::world) enclosure: Enclosure,
}

/// From the site's init to the harness.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) enum FromSite {
    /// The site stands. Holds what had to be left out.
    Ready(Vec<String>),
    /// The site could not be made.
    Broken(String),
    /// The node's init exists; a descriptor of its process is beside this.
    Forked(u64),
    /// The node's init could not be made.
    Refused(u64, String),
}

/// From the harness to a node's init.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) struct ToNode {
    /// Tells answers apart.
    pub(in crate::world) id: u64,
    /// What is asked.
    pub(in crate::world) ask: Ask,
}

/// What a node's init can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) enum Ask {
    /// Stop every process.
    Hang,
    /// Let them go on.
    Resume,
    /// Kill every process.
    Kill,
    /// Look at them.
    State,
    /// Send probe packets.
    Probe {
        /// Marks the packets.
        token: u64,
        /// To whom.
        to: Ipv4Addr,
        /// How many.
        count: u32,
        /// Time between them.
        interval_us: u64,
        /// Time after the last.
        wait_us: u64,
        /// Bytes of payload.
        payload: u32,
        /// From which port.
        port: Option<u16>,
    },
    /// Which probe packets with this mark were echoed here; asked once.
    Arrived(u64),
    /// Try a volume.
    Disk {
        /// Where it is mounted.
        folder: PathBuf,
        /// What to try.
        probe: DiskProbe,
        /// Leave the last file there.
        keep: bool,
    },
    /// How many packets this kernel has dropped for their checksum.
    Checksums,
    /// Open a connection to another init.
    Connect {
        /// Its number.
        token: u64,
        /// To whom.
        to: Ipv4Addr,
        /// From which port.
        port: Option<u16>,
    },
    /// How a connection from here is.
    Near(u64),
    /// How a connection to here is.
    Far(u64),
    /// Let go of a connection from here.
    Release(u64),
    /// Answer names by these rules from now on.
    Names(Vec<NameRule>),
    /// Look a name up as a program would.
    Lookup(String),
    /// Start these services again. Beside it: the wire of each built-in one.
    Start {
        /// The services.
        services: Vec<ServiceOrder>,
        /// Set their clocks to this far ahead of the host's, in nanoseconds;
        /// `None` leaves them.
        clock_offset_ns: Option<i64>,
    },
    /// Take the processor away for a share of every period; `None`: no more.
    Steal(Option<Theft>),
    /// Let every process open no more than this many further descriptors;
    /// `None`: as many as before.
    Files(Option<u32>),
    /// Run a program beside a service, in its enclosure.
    Check {
        /// The service.
        service: String,
        /// The program with its arguments.
        argv: Vec<String>,
    },
    /// Find out what the services can still get.
    Inquire(Inquiry),
    /// Read the connections of the services.
    Sockets,
}

/// How the processor is taken away.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::world) struct Theft {
    /// For how long of every period.
    pub(in crate::world) stolen_us: u64,
    /// The period.
    pub(in crate::world) period_us: u64,
}

/// A probe packet that came: its number, when it was sent since the probe began,
/// and how long it took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::world) struct Seen(
    pub(in crate::world) u32,
    pub(in crate::world) u32,
    pub(in crate::world) u32,
);

/// From a node's init to the harness.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) enum FromNode {
    /// Its services' processes run; the network device is beside this, and then
    /// what each volume is held by, in order. Holds what had to be left out.
    Up(Vec<String>),
    /// It could not come up.
    Broken(String),
    /// A service has ended.
    Exited {
        /// Its name.
        service: String,
        /// How.
        how: String,
    },
    /// An answer.
    Reply(u64, Answer),
}

/// What a node's init answers.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) enum Answer {
    /// Done: so are the processes now.
    State(NodeState),
    /// What came of a probe.
    Probed {
        /// How much later than it was due each packet left, in microseconds:
        /// short numbers, since all must fit into a message.
        late_us: Vec<u32>,
        /// Packets echoed and back in time.
        rtt_us: Vec<u64>,
        /// The answers.
        back: Vec<Seen>,
    },
    /// Packets that were echoed.
    Arrived(Vec<Seen>),
    /// Packets dropped for their checksum.
    Checksums(u64),
    /// A connection is up.
    Connected,
    /// How a connection from here is, if there is one.
    Near(Option<ConnectionReport>),
    /// How a connection to here is, if there is one.
    Far(Option<End>),
    /// It is done.
    Done,
    /// What became of a lookup.
    Lookup(Lookup),
    /// What the services can still get.
    Supply(Supply),
    /// The connections of the services.
    Sockets(Vec<Socket>),
    /// Whether a program ended well.
    Checked(bool),
    /// What a volume answered.
    Disk(DiskReport),
    /// It could not be done.
    Failed(String),
}
