//! Somebody on the same network who has nothing to do with the project.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::project::{Project, ask, engine};

/// How often it is sent something.
const EVERY: Duration = Duration::from_millis(5);

/// How long an answer may take: a packet that needs longer is lost.
const LATE: Duration = Duration::from_secs(3);

/// A static program: an image of nothing else can run it.
pub(crate) const BUSYBOX: &str = "/bin/busybox";

/// Makes an image of it.
fn busybox() -> Result<String, String> {
    let name = "ridethrough-attach-busybox";
    let import = format!(
        "tar -c -C / {} | docker import --change 'ENTRYPOINT [\"{BUSYBOX}\"]' - {name}",
        BUSYBOX.trim_start_matches('/')
    );
    ask(std::process::Command::new("sh").args(["-c", &import]))?;
    Ok(name.into())
}

/// A container that does nothing, and whoever asks it all the time.
pub(crate) struct Bystander {
    name: String,
    stop: Arc<AtomicBool>,
    sender: Option<JoinHandle<Result<Seen, String>>>,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Packets sent.
    pub(crate) sent: u32,
    /// Packets that came back.
    pub(crate) back: u32,
}

impl Bystander {
    /// Starts one on the network of a project.
    pub(crate) fn on(project: &Project) -> Result<Self, String> {
        let name = format!("{}-bystander", project.name);
        let network = format!("{}_default", project.name);
        let image = busybox()?;
        let run = ["run", "-d", "--name", &name, "--network", &network, &image];
        engine(&[&run[..], &["sleep", "600"]].concat())?;
        let form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = engine(&["inspect", "-f", form, &name])?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let sender = std::thread::spawn(move || send(&address, &told));
        Ok(Self {
            name,
            stop,
            sender: Some(sender),
        })
    }

    /// Ends it, and tells.
    pub(crate) fn seen(mut self) -> Result<Seen, String> {
        self.stop.store(true, Ordering::Relaxed);
        let sender = self.sender.take().ok_or("asked twice")?;
        sender.join().map_err(|_| "the sender is gone")?
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = engine(&["rm", "-f", &self.name]);
    }
}

/// Echo requests (RFC 792), which the kernel of the bystander answers.
fn send(address: &str, stop: &AtomicBool) -> Result<Seen, String> {
    let text = |error: std::io::Error| error.to_string();
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).map_err(text)?;
    let to: Ipv4Addr = address
        .parse()
        .map_err(|_| format!("{address:?} is no address"))?;
    socket
        .connect(&SocketAddrV4::new(to, 0).into())
        .map_err(text)?;
    socket.set_read_timeout(Some(EVERY)).map_err(text)?;
    let mut socket: std::net::UdpSocket = socket.into();
    let mut seen = Seen { sent: 0, back: 0 };
    let mut last = Instant::now();
    loop {
        let over = stop.load(Ordering::Relaxed);
        if !over {
            socket.send(&request(seen.sent as u16)).map_err(text)?;
            seen.sent += 1;
            last = Instant::now();
        }
        let until = Instant::now() + EVERY;
        while Instant::now() < until {
            seen.back += u32::from(answered(&mut socket));
        }
        if over && (seen.back >= seen.sent || last.elapsed() > LATE) {
            return Ok(seen);
        }
    }
}

/// Marks our requests.
fn mark() -> [u8; 2] {
    (std::process::id() as u16).to_be_bytes()
}

fn request(number: u16) -> [u8; 8] {
    let [a, b] = mark();
    let [c, d] = number.to_be_bytes();
    let mut packet = [8, 0, 0, 0, a, b, c, d];
    let words = packet.as_chunks::<2>().0.iter();
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    packet[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    packet
}

/// Whether the next packet is an answer to one of ours, behind its IP header.
fn answered(socket: &mut std::net::UdpSocket) -> bool {
    let mut buffer = [0; 128];
    let Ok(length) = socket.recv(&mut buffer) else {
        return false;
    };
    let payload = usize::from(buffer[0] & 15) * 4;
    let Some(answer) = buffer[..length].get(payload..payload + 8) else {
        return false;
    };
    answer[0] == 0 && answer[4..6] == mark()
}
