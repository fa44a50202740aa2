//! `ridethrough serve`: a service of the reference stack by itself.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, duplex, split};

use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::HostNet;
use ridethrough_targets::service::{Env, open_panel};

use crate::builtin::builtin;

use super::args::{ServeArgs, Served};
use super::exit::Exit;
use super::main::complain;

/// How much of what it says may wait for its reader.
const WORDS: usize = 64 * 1024;

/// Serves until it is interrupted.
pub(super) fn serve(args: &ServeArgs) -> Exit {
    let config = match config(args) {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(args.service.name(), config, args.seed)),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => Exit::Passed,
        Err(error) => {
            complain(&error);
            Exit::World
        }
    }
}

async fn run(service: &str, config: Value, seed: u64) -> Result<(), String> {
    let (ours, theirs) = duplex(WORDS);
    let (read, write) = split(theirs);
    let env = Env {
        service: service.to_string(),
        node: service.to_string(),
        boot: 0,
        net: Arc::new(HostNet::asking_all()),
        disk: None,
        clock: Clock::start(),
        seed,
        panel: open_panel(BufReader::new(read), write),
    };
    // Nobody orders it about; what it says of itself is for a log.
    let (said, _held) = split(ours);
    tokio::spawn(async move {
        let mut lines = BufReader::new(said).lines();
        while let Ok(Some(word)) = lines.next_line().await {
            tracing::debug!("{word}");
        }
    });
    let running = builtin(service, config, env).ok_or("no such service")?;
    running.await.map_err(|error| error.to_string())
}

/// The service's configuration: what was given whole, with flags over it.
fn config(args: &ServeArgs) -> Result<Value, String> {
    let mut config: Value = match &args.config {
        Some(text) => {
            serde_json::from_str(text).map_err(|error| format!("--config is no JSON: {error}"))?
        }
        None => json!({}),
    };
    let Some(map) = config.as_object_mut() else {
        return Err("--config must be an object, such as '{\"slots\": 8}'".into());
    };
    map.insert("port".into(), args.port.into());
    if args.service == Served::Gateway {
        let replica = |text: &String| {
            let (host, port) = text.rsplit_once(':').unwrap_or((text, "8000"));
            let port: u16 = port
                .parse()
                .map_err(|_| format!("--replica {text}: `{port}` is no port"))?;
            Ok(json!({"name": host, "host": host, "port": port}))
        };
        let replicas: Result<Vec<Value>, String> = args.replica.iter().map(replica).collect();
        map.insert("replicas".into(), replicas?.into());
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(service: Served, replica: &[&str], config: Option<&str>) -> ServeArgs {
        ServeArgs {
            service,
            port: 8000,
            replica: replica.iter().map(|r| r.to_string()).collect(),
            config: config.map(str::to_string),
            seed: 1,
        }
    }

    #[test]
    fn flags_go_over_what_was_given_whole() {
        let it = args(
            Served::Gateway,
            &["gpu-1", "gpu-2:81"],
            Some("{\"port\": 1, \"a\": 2}"),
        );
        let config = config(&it).unwrap();
        assert_eq!(config["port"], 8000);
        assert_eq!(config["a"], 2);
        assert_eq!(config["replicas"][0]["port"], 8000);
        assert_eq!(config["replicas"][1]["host"], "gpu-2");
    }

    #[test]
    fn what_is_no_object_and_no_port_is_told() {
        let bad = config(&args(Served::Replica, &[], Some("[]"))).unwrap_err();
        assert!(bad.contains("must be an object"), "{bad}");
        let bad = config(&args(Served::Gateway, &["gpu-1:http"], None)).unwrap_err();
        assert!(bad.contains("is no port"), "{bad}");
    }
}
