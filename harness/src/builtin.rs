//! The services that are part of this binary, by name.

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use ridethrough_targets::service::{Env, ServiceError};
use ridethrough_targets::serving::{run_gateway, run_journal, run_replica};
use ridethrough_targets::supervisor::ask::run_probe;
use ridethrough_targets::supervisor::{run_card, run_supervisor, run_watch};

use crate::engine::run_doorman;
use crate::load::{run_load, run_rehearsal};
use crate::writer::run_writer;

/// What a built-in service does until it ends.
pub type Running = BoxFuture<'static, Result<(), ServiceError>>;

/// Starts a built-in service; `None` for a name that is none.
pub fn builtin(name: &str, config: Value, env: Env) -> Option<Running> {
    Some(match name {
        "gateway" => start(config, |config| run_gateway(env, config)),
        "journal" => start(config, |config| run_journal(env, config)),
        "replica" => start(config, |config| run_replica(env, config)),
        "supervisor" => start(config, |config| run_supervisor(env, config)),
        "card" => start(config, |config| run_card(env, config)),
        "probe" => start(config, |config| run_probe(env, config)),
        "watch" => start(config, |config| run_watch(env, config)),
        "load" => start(config, |config| run_load(env, config)),
        "rehearsal" => start(config, |config| run_rehearsal(env, config)),
        "writer" => start(config, |config| run_writer(env, config)),
        "doorman" => start(config, |config| run_doorman(env, config)),
        _ => return None,
    })
}

fn start<C, F>(config: Value, run: impl FnOnce(C) -> F) -> Running
where
    C: DeserializeOwned,
    F: Future<Output = Result<(), ServiceError>> + Send + 'static,
{
    match serde_json::from_value(config) {
        Ok(config) => Box::pin(run(config)),
        Err(error) => Box::pin(std::future::ready(Err(ServiceError::Config(
            error.to_string(),
        )))),
    }
}
