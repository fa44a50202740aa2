//! What the nodes of a small site are and run, in any world.

use std::net::Ipv4Addr;

use indexmap::IndexMap;
use ridethrough_targets::service::{
    BuiltinFuture, Env, FromService, Program, ServiceError, ToService,
};
use ridethrough_targets::units::Bytes;
use ridethrough_targets::world::conformance;
use ridethrough_targets::world::{Backing, NodeSpec, ServiceSpec, VolumeSpec};

/// The built-in services of this binary.
pub(crate) fn registry(name: &str, config: serde_json::Value, env: Env) -> Option<BuiltinFuture> {
    match name {
        "idle" => Some(Box::pin(idle(env))),
        #[cfg(linux_worlds)]
        crate::impatience::CLIENT => crate::impatience::client(&config, env),
        "scribe" => Some(Box::pin(scribe(env))),
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

/// Tells what is in its log. On the first boot it then writes a word that it
/// flushes, and one that it does not.
async fn scribe(mut env: Env) -> Result<(), ServiceError> {
    let io = |source| ServiceError::Io {
        what: "use the volume".into(),
        source,
    };
    let none = || ServiceError::Config("no volume".into());
    let disk = env.disk.take().ok_or_else(none)?;
    let log = disk.open("log").await.map_err(io)?;
    let found = log.read_at(0, 4096).await.map_err(io)?;
    let found = String::from_utf8_lossy(&found).into_owned();
    env.panel.say(FromService::Ledger(found.into()));
    if env.boot == 0 {
        log.append(b"flushed").await.map_err(io)?;
        log.sync().await.map_err(io)?;
        disk.sync_names().await.map_err(io)?;
        log.append(b" and not").await.map_err(io)?;
        let seen = log.read_at(0, 4096).await.map_err(io)?;
        assert_eq!(seen, b"flushed and not");
    }
    idle(env).await
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
                volume: None,
            })
            .collect(),
    }
}

/// The same node, whose first service has a volume.
pub(crate) fn with_volume(mut node: NodeSpec, backing: Backing) -> NodeSpec {
    let size = Bytes(16.0 * 1024.0 * 1024.0);
    if let Some(first) = node.services.first_mut() {
        first.volume = Some(VolumeSpec {
            size,
            backing,
            torn: false,
        });
    }
    node
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
        files: Vec::new(),
    }
}
