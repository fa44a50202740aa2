//! What it takes to give nodes of the embedded world power and to take it away:
//! `cargo bench -p ridethrough-targets --bench world`.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::try_join_all;
use indexmap::IndexMap;
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::net::SocketOptions;
use ridethrough_targets::service::{
    BuiltinFuture, Env, FromService, Program, ServiceError, ToService,
};
use ridethrough_targets::world::embedded::{
    EmbeddedConfig, EmbeddedWorld, capabilities, run_child_if_asked,
};
use ridethrough_targets::world::{Capability, NodeSpec, ServiceSpec, World, WorldEvent};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use crate::docker;

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Every measurement is the median of so many.
pub(crate) const ROUNDS: u32 = 9;
/// Nodes that are cut together.
const VICTIMS: u8 = 32;
/// The node that hears them all, and what it listens on.
const SINK: u8 = 100;
const PORT: u16 = 9000;
/// Between two datagrams of a node.
const TALK_EVERY: Duration = Duration::from_millis(2);
/// Frames that must have reached the sink before a cut means anything.
const WARM: u64 = 20_000;
/// How long the sink is watched after a cut.
const AFTER: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn main() -> ExitCode {
    if let Some(code) = run_child_if_asked(&registry) {
        return code;
    }
    if std::env::args()
        .nth(1)
        .is_some_and(|arg| arg == docker::WAIT)
    {
        std::thread::park();
    }
    let found = capabilities();
    let lacks = |c: &&Capability| c.name == "embedded world" && !c.found;
    if let Some(missing) = found.iter().find(lacks) {
        println!("skipped: {}; {}", missing.detail, missing.remedy);
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    println!(
        "{:<52} {:>10} {:>10} {:>8}",
        "embedded world", "median", "worst", "bar"
    );
    runtime.block_on(async {
        boots().await?;
        cuts().await?;
        docker::measure().await
    })
}

fn registry(name: &str, _: serde_json::Value, env: Env) -> Option<BuiltinFuture> {
    match name {
        "listen" => Some(Box::pin(listen(env))),
        "talk" => Some(Box::pin(talk(env))),
        _ => None,
    }
}

/// Opens its socket, says that it is ready, and waits for the end.
async fn listen(mut env: Env) -> std::result::Result<(), ServiceError> {
    let io = |source| ServiceError::Io {
        what: "open its socket".into(),
        source,
    };
    let options = SocketOptions::default();
    let _tcp = env.net.listen(PORT, options).await.map_err(io)?;
    let udp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT));
    let udp = udp.await.map_err(io)?;
    let t_us = env.clock.now_us();
    env.panel.say(FromService::Ready { t_us });
    let mut buffer = [0; 512];
    loop {
        tokio::select! {
            word = env.panel.inbox.recv() => match word {
                Some(ToService::Stop) | None => return Ok(()),
                Some(_) => {}
            },
            _ = udp.recv(&mut buffer) => {}
        }
    }
}

/// Sends to the sink without pause, whether anybody hears it or not.
async fn talk(_: Env) -> std::result::Result<(), ServiceError> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await;
    let socket = socket.map_err(|source| ServiceError::Io {
        what: "open its socket".into(),
        source,
    })?;
    loop {
        let _ = socket.send_to(&[0; 256], (ip(SINK), PORT)).await;
        sleep(TALK_EVERY).await;
    }
}

pub(crate) fn name(host: u8) -> String {
    format!("n{host}")
}

pub(crate) fn ip(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, host)
}

/// A node with one built-in service.
pub(crate) fn node(host: u8, service: &str) -> NodeSpec {
    let program = Program::Builtin {
        name: service.into(),
        config: serde_json::Value::Null,
    };
    NodeSpec {
        name: name(host),
        ip: ip(host),
        services: vec![ServiceSpec {
            name: service.into(),
            program,
            seed: 1,
            volume: None,
        }],
    }
}

/// A world in a folder of its own, open while it is held.
struct Open {
    world: EmbeddedWorld,
    events: UnboundedReceiver<WorldEvent>,
    clock: Clock,
    _folder: tempfile::TempDir,
}

impl Open {
    async fn with(hosts: impl IntoIterator<Item = u8>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock = Clock::start();
        let hosts: IndexMap<_, _> = hosts.into_iter().map(|h| (name(h), ip(h))).collect();
        let config = EmbeddedConfig {
            exe: std::env::current_exe()?,
            run_dir: folder.path().to_path_buf(),
            clock,
            seed: 1,
            hosts,
            undo: None,
            pcap: false,
        };
        let world = EmbeddedWorld::open(config).await?;
        let events = world.events().ok_or("the events were taken before")?;
        Ok(Self {
            world,
            events,
            clock,
            _folder: folder,
        })
    }

    /// Boots nodes side by side; returns how long it took until all processes
    /// ran, and until all services had their sockets open.
    async fn boot(&mut self, specs: &[NodeSpec], boot: u32) -> Result<(Micros, Micros)> {
        let begun = self.clock.now_us();
        try_join_all(specs.iter().map(|spec| self.world.boot(spec, boot))).await?;
        let running = self.clock.now_us() - begun;
        let mut open = 0;
        for _ in specs {
            let event = timeout(PATIENCE, self.events.recv()).await?;
            match event.ok_or("the world has ended")? {
                WorldEvent::Said {
                    word: FromService::Ready { t_us },
                    ..
                } => open = open.max(t_us - begun),
                other => return Err(format!("not ready, but {other:?}").into()),
            }
        }
        Ok((running, open))
    }

    /// Frames given to the sink so far.
    fn heard(&self) -> Result<u64> {
        Ok(self.world.counters(&name(SINK))?.frames_out)
    }
}

/// Measurements of one thing, in microseconds.
#[derive(Default)]
pub(crate) struct Times(pub(crate) Vec<Micros>);

impl Times {
    /// Prints them, with a bar in milliseconds for the median where there is one.
    pub(crate) fn row(mut self, what: &str, bar_ms: Option<f64>) {
        self.0.sort_unstable();
        let ms = |us: Option<&Micros>| us.map_or(f64::NAN, |us| *us as f64 / 1e3);
        let (median, worst) = (ms(self.0.get(self.0.len() / 2)), ms(self.0.last()));
        let bar = bar_ms.map_or(String::new(), |bar| format!("{bar} ms"));
        let held = bar_ms.map_or("", |bar| if median <= bar { "ok" } else { "over" });
        println!("{what:<52} {median:>7.2} ms {worst:>7.2} ms {bar:>8} {held}");
    }
}

/// Prints a number that must be zero.
fn zero(what: &str, count: u64) {
    let held = if count == 0 { "ok" } else { "over" };
    println!("{what:<52} {count:>10} {:>10} {:>8} {held}", "", 0);
}

async fn boots() -> Result<()> {
    let (mut one, mut one_open) = (Times::default(), Times::default());
    let (mut five, mut five_open) = (Times::default(), Times::default());
    let (mut dead, mut closed) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        let mut site = Open::with(1..=5).await?;
        let (running, open) = site.boot(&[node(1, "listen")], 0).await?;
        one.0.push(running);
        one_open.0.push(open);
        let cut = site.world.cut(&[name(1)]).await?;
        dead.0
            .extend(cut.iter().map(|cut| cut.dead_us - cut.dark_us));
        let specs: Vec<NodeSpec> = (1..=5).map(|host| node(host, "listen")).collect();
        let (running, open) = site.boot(&specs, 1).await?;
        five.0.push(running);
        five_open.0.push(open);
        let begun = site.clock.now_us();
        site.world.close().await?;
        closed.0.push(site.clock.now_us() - begun);
    }
    one.row("one node up: its processes run", Some(20.0));
    one_open.row("  its socket is open", None);
    five.row("five nodes up: their processes run", Some(500.0));
    five_open.row("  their sockets are open", Some(500.0));
    dead.row("one node cut: port dark to last process dead", None);
    closed.row("five nodes closed, nothing left", None);
    Ok(())
}

/// Cuts nodes that all talk at one instant.
async fn cuts() -> Result<()> {
    let (mut dark, mut dead) = (Times::default(), Times::default());
    let (mut afterwards, mut leaked) = (0, 0);
    for _ in 0..ROUNDS {
        let mut site = Open::with((1..=VICTIMS).chain([SINK])).await?;
        site.boot(&[node(SINK, "listen")], 0).await?;
        let specs: Vec<NodeSpec> = (1..=VICTIMS).map(|host| node(host, "talk")).collect();
        try_join_all(specs.iter().map(|spec| site.world.boot(spec, 0))).await?;
        let warm = async {
            while site.heard()? < WARM {
                sleep(TALK_EVERY).await;
            }
            Result::Ok(())
        };
        timeout(PATIENCE, warm).await??;
        let names: Vec<String> = (1..=VICTIMS).map(name).collect();
        let asked = site.clock.now_us();
        let receipts = site.world.cut(&names).await?;
        let at_return = site.heard()?;
        // No port is dark before it is asked for, so this holds the time from
        // the first to the last.
        dark.0
            .extend(receipts.iter().map(|cut| cut.dark_us - asked).max());
        dead.0
            .extend(receipts.iter().map(|cut| cut.dead_us - cut.dark_us).max());
        sleep(AFTER).await;
        afterwards += site.heard()? - at_return;
        for name in &names {
            leaked += site.world.counters(name)?.leaked;
        }
        site.world.close().await?;
    }
    dark.row("32 talking nodes cut: asked to last port dark", Some(1.0));
    dead.row("  port dark to last process dead", None);
    zero("  frames that reached a peer afterwards", afterwards);
    zero("  frames leaked, by the ports' counters", leaked);
    Ok(())
}
