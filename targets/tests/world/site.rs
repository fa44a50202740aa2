//! A small site for tests.

use std::future::Future;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use libtest_mimic::{Failed, Trial};
use ridethrough_targets::clock::Clock;
use ridethrough_targets::service::{
    BuiltinFuture, Env, FromService, Program, ServiceError, ToService,
};
use ridethrough_targets::world::conformance;
use ridethrough_targets::world::embedded::{EmbeddedConfig, EmbeddedWorld};
use ridethrough_targets::world::{NodeSpec, ServiceSpec, World, WorldEvent};
use tokio::sync::mpsc::UnboundedReceiver;

/// The built-in services of this binary.
pub(crate) fn registry(name: &str, config: serde_json::Value, env: Env) -> Option<BuiltinFuture> {
    match name {
        "idle" => Some(Box::pin(idle(env))),
        "runaway" => Some(Box::pin(async {
            loop {
                tokio::task::yield_now().await;
            }
        })),
        "failing" => Some(Box::pin(async move {
            Err(ServiceError::Config(format!("told to fail: {config}")))
        })),
        _ => conformance::builtin(name, &config, env),
    }
}

/// Says that it is ready, echoes what it hears, and waits for the end.
async fn idle(mut env: Env) -> Result<(), ServiceError> {
    let t_us = env.clock.now_us();
    env.panel.say(FromService::Ready { t_us });
    while let Some(word) = env.panel.inbox.recv().await {
        if word == ToService::Stop {
            break;
        }
        let text = format!("{word:?}");
        env.panel.say(FromService::Ledger(text.into()));
    }
    Ok(())
}

/// A site with the named nodes, in a folder of its own.
pub(crate) struct Site {
    pub(crate) world: EmbeddedWorld,
    pub(crate) events: UnboundedReceiver<WorldEvent>,
    pub(crate) folder: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn open(names: &[&str]) -> Result<Self, Failed> {
        Self::new(names, false).await
    }

    /// The same with a capture of every frame.
    pub(crate) async fn captured(names: &[&str]) -> Result<Self, Failed> {
        Self::new(names, true).await
    }

    async fn new(names: &[&str], pcap: bool) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let config = EmbeddedConfig {
            pcap,
            ..config(std::env::current_exe()?, folder.path(), names)
        };
        let world = EmbeddedWorld::open(config).await?;
        let events = world.events().ok_or("the events were taken before")?;
        Ok(Self {
            world,
            events,
            folder,
        })
    }

    pub(crate) fn log(&self, node: &str) -> String {
        let path = self.folder.path().join(format!("logs/{node}.log"));
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

pub(crate) fn config(exe: PathBuf, folder: &Path, names: &[&str]) -> EmbeddedConfig {
    EmbeddedConfig {
        exe,
        run_dir: folder.to_path_buf(),
        clock: Clock::start(),
        seed: 7,
        hosts: hosts(names),
        pcap: false,
    }
}

pub(crate) fn hosts(names: &[&str]) -> IndexMap<String, Ipv4Addr> {
    (1..)
        .zip(names)
        .map(|(host, name)| (name.to_string(), Ipv4Addr::new(10, 77, 0, host)))
        .collect()
}

/// A node of a site with these names that runs `programs`.
pub(crate) fn node(names: &[&str], name: &str, programs: Vec<(&str, Program)>) -> NodeSpec {
    NodeSpec {
        name: name.to_string(),
        ip: hosts(names)
            .get(name)
            .copied()
            .unwrap_or(Ipv4Addr::UNSPECIFIED),
        services: programs
            .into_iter()
            .map(|(name, program)| ServiceSpec {
                name: name.to_string(),
                program,
                seed: 1,
            })
            .collect(),
    }
}

pub(crate) fn builtin(name: &str) -> Program {
    Program::Builtin {
        name: name.to_string(),
        config: serde_json::Value::Null,
    }
}

pub(crate) fn shell(script: &str) -> Program {
    Program::Command {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        env: Vec::new(),
    }
}

/// A trial that runs on a runtime of its own, bounded.
pub(crate) fn trial<F, T>(name: &str, test: F) -> Trial
where
    F: FnOnce() -> T + Send + 'static,
    T: Future<Output = Result<(), Failed>>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let limit = std::time::Duration::from_secs(60);
        runtime.block_on(async { tokio::time::timeout(limit, test()).await })?
    })
}
