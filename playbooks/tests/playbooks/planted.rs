//! What is planted in a run must be found: a service that lets a `HashMap`
//! decide, by the check of two records; one that never rests, by the bound on
//! events.

use std::path::Path;
use std::sync::Arc;

use ridethrough::builtin::builtin;
use ridethrough::conduct::{Conduct, Outcome, conduct_with};
use ridethrough::plan::plan;
use ridethrough::playbook::{WorldKind, load_playbook};
use ridethrough_targets::service::{Env, FromService, Registry};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::repeat::same;

/// Two runs of one seed must part, and only because of what was planted.
pub(crate) fn order_is_found() -> Result<(), String> {
    same(&record(false)?, &record(false)?)?;
    match same(&record(true)?, &record(true)?) {
        Ok(()) => Err("two records are said to be the same, but a HashMap decided".into()),
        Err(parted) if parted.contains("order:") => Ok(()),
        Err(parted) => Err(format!("not where it was planted: {parted}")),
    }
}

/// A run that would never end is ended, is invalid, and says by whose fault.
pub(crate) fn restlessness_is_found() -> Result<(), String> {
    let (outcome, _folder) = run(Arc::new(|name: &str, config, env: Env| match name {
        "watch" => Some(Box::pin(async {
            loop {
                tokio::task::yield_now().await;
            }
        })),
        _ => builtin(name, config, env),
    }))?;
    let judgement = outcome.judgement;
    let reasons = judgement.invalid.join("; ");
    if judgement.exit == 3 && reasons.contains("monitor/watch kept it alive") {
        Ok(())
    } else {
        Err(format!("exit {}: {reasons}", judgement.exit))
    }
}

fn record(plant: bool) -> Result<Vec<u8>, String> {
    let (_, folder) = run(Arc::new(move |name: &str, config, env: Env| {
        if plant && name == "supervisor" {
            env.panel.say(careless(env.clock.now_us()));
        }
        builtin(name, config, env)
    }))?;
    std::fs::read(folder.path().join("record.jsonl")).map_err(|error| error.to_string())
}

fn run(registry: Arc<Registry>) -> Result<(Outcome, TempDir), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("power/sag-inside.yaml");
    let mut loaded = load_playbook(&path).map_err(|errors| errors.render(false))?;
    loaded.playbook.world = Some(WorldKind::Virtual);
    let plan = plan(&loaded).map_err(|errors| errors.render(false))?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let how = Conduct {
        world: WorldKind::Virtual,
        id: "test".into(),
        out: folder.path().to_path_buf(),
        pcap: false,
        watcher: None,
        stop: CancellationToken::new(),
        repeat: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let outcome = runtime
        .block_on(conduct_with(plan, how, registry))
        .map_err(|error| error.to_string())?;
    Ok((outcome, folder))
}

/// What must never be written: an order that nobody chose.
#[allow(clippy::disallowed_types)]
fn careless(t_us: u64) -> FromService {
    let map: std::collections::HashMap<u32, ()> = (0..64).map(|n| (n, ())).collect();
    let order: Vec<String> = map.keys().map(u32::to_string).collect();
    FromService::State {
        t_us,
        of: "planted".into(),
        from: "order:".into(),
        to: order.join(" "),
        cause: "a HashMap".into(),
    }
}
