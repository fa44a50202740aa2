//! Somebody on the same network who has nothing to do with the project.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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

/// A container that echoes, and whoever sends to it all the time.
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
        let echo = ["udpsvd", "0.0.0.0", "7", BUSYBOX, "cat"];
        engine(&[&run[..], &echo[..]].concat())?;
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

fn send(address: &str, stop: &AtomicBool) -> Result<Seen, String> {
    let text = |error: std::io::Error| error.to_string();
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(text)?;
    socket.connect((address, 7)).map_err(text)?;
    socket.set_read_timeout(Some(EVERY)).map_err(text)?;
    let mut buffer = [0; 16];
    // It may not listen yet.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        let _ = socket.send(&u32::MAX.to_be_bytes());
        if socket.recv(&mut buffer).is_ok() {
            break;
        }
    }
    let mut seen = Seen { sent: 0, back: 0 };
    let mut last = Instant::now();
    loop {
        let over = stop.load(Ordering::Relaxed);
        if !over {
            socket.send(&seen.sent.to_be_bytes()).map_err(text)?;
            seen.sent += 1;
            last = Instant::now();
        }
        let until = Instant::now() + EVERY;
        while Instant::now() < until {
            match socket.recv(&mut buffer) {
                Ok(4) if buffer[..4] != u32::MAX.to_be_bytes() => seen.back += 1,
                _ => {}
            }
        }
        if over && (seen.back >= seen.sent || last.elapsed() > LATE) {
            return Ok(seen);
        }
    }
}
