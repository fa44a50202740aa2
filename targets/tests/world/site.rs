//! What the nodes of a small site are and run, in any world.

use std::net::Ipv4Addr;

use indexmap::IndexMap;
use ridethrough_targets::service::{
    BuiltinFuture, Env, FromService, Program, ServiceError, ToService,
};
use ridethrough_targets::world::conformance;
use ridethrough_targets::world::{NodeSpec, ServiceSpec};

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
