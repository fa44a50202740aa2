//! A stack on loopback ports, in a runtime of its own.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::{HostNet, Net};
use ridethrough_targets::service::{Env, FromService, PanelPeer, panel_pair};
use ridethrough_targets::serving::{
    GatewayConfig, GatewayMode, KnownBad, Message, ReplicaConfig, ReplicaRef, answer, request_key,
    run_gateway, run_replica,
};
use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

pub(crate) const PROMPT: &str = "tell me about power";

/// What the prompt is answered with.
pub(crate) fn expected(tokens: u32) -> String {
    answer(&request_key(&[Message::user(PROMPT)], None), 0, tokens)
}

/// What a client did.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) struct Stack {
    runtime: Runtime,
    replicas: Vec<AbortHandle>,
    pub(crate) port: u16,
}

async fn ready(peer: &mut PanelPeer) -> Result<(), Failed> {
    let wait = async {
        while let Some(word) = peer.inbox.recv().await {
            if matches!(word, FromService::Ready { .. }) {
                return Ok(());
            }
        }
        Err(Failed::from("a service ended"))
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await?
}

fn env(net: &Arc<dyn Net>, node: &str) -> (Env, PanelPeer) {
    let (panel, peer) = panel_pair();
    let env = Env {
        service: "test".into(),
        node: node.into(),
        boot: 0,
        net: Arc::clone(net),
        disk: None,
        clock: Clock::start(),
        seed: 1,
        panel,
    };
    (env, peer)
}

impl Stack {
    /// A gateway before replicas with these faults.
    pub(crate) fn start(mode: GatewayMode, faults: &[Option<KnownBad>]) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (replicas, port) = runtime.block_on(build(mode, faults))?;
        Ok(Self {
            runtime,
            replicas,
            port,
        })
    }

    /// Runs a client; `after`, when given, is the time after which all replicas
    /// are killed.
    pub(crate) fn run(
        &self,
        argv: &[&str],
        kill_after: Option<Duration>,
    ) -> Result<Outcome, Failed> {
        self.runtime.block_on(async {
            let (program, arguments) = argv.split_first().ok_or("no program")?;
            let child = Command::new(program)
                .args(arguments)
                .env("OPENAI_API_KEY", "none")
                .env(
                    "OPENAI_BASE_URL",
                    format!("http://127.0.0.1:{}/v1", self.port),
                )
                .env("NO_PROXY", "127.0.0.1")
                .kill_on_drop(true)
                .output();
            let kill = async {
                if let Some(after) = kill_after {
                    tokio::time::sleep(after).await;
                    self.replicas.iter().for_each(AbortHandle::abort);
                }
            };
            let both = async { tokio::join!(child, kill).0 };
            let output = tokio::time::timeout(Duration::from_secs(60), both).await??;
            Ok(Outcome {
                code: output.status.code(),
                out: String::from_utf8_lossy(&output.stdout).into_owned(),
                err: String::from_utf8_lossy(&output.stderr).into_owned(),
            })
        })
    }
}

async fn build(
    mode: GatewayMode,
    faults: &[Option<KnownBad>],
) -> Result<(Vec<AbortHandle>, u16), Failed> {
    let net: Arc<dyn Net> = Arc::new(HostNet::loopback());
    let mut held = Vec::new();
    for _ in 0..=faults.len() {
        held.push(tokio::net::TcpListener::bind("127.0.0.1:0").await?);
    }
    let ports = held
        .iter()
        .map(|l| l.local_addr().map(|a| a.port()))
        .collect::<Result<Vec<_>, _>>()?;
    drop(held);
    let mut config = GatewayConfig {
        port: ports[faults.len()],
        mode,
        ..GatewayConfig::default()
    };
    let mut tasks = Vec::new();
    let mut peers = Vec::new();
    for (n, fault) in faults.iter().enumerate() {
        let name = format!("gpu-{n}");
        let (env, peer) = env(&net, &name);
        let replica = ReplicaConfig {
            port: ports[n],
            known_bad: *fault,
            known_bad_after: 5,
            ..ReplicaConfig::default()
        };
        config.replicas.push(ReplicaRef {
            name,
            host: "127.0.0.1".into(),
            port: ports[n],
        });
        let run = async move {
            if let Err(error) = run_replica(env, replica).await {
                eprintln!("replica: {error}");
            }
        };
        tasks.push(tokio::spawn(run).abort_handle());
        peers.push(peer);
    }
    let port = config.port;
    let (env, peer) = env(&net, "gateway");
    tokio::spawn(async move {
        if let Err(error) = run_gateway(env, config).await {
            eprintln!("gateway: {error}");
        }
    });
    peers.push(peer);
    for peer in &mut peers {
        ready(peer).await?;
    }
    // A closed panel would stop the services: the ends live with the runtime.
    tokio::spawn(async move {
        let _held = peers;
        std::future::pending::<()>().await;
    });
    Ok((tasks, port))
}
