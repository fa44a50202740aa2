//! What is planted in a run must be found: a service that lets a `HashMap`
//! decide, by the check of two records; one that never rests, by the bound on
//! events.

use std::path::Path;
use std::sync::Arc;

use ridethrough::builtin::builtin;
use ridethrough::playbook::{WorldKind, load_playbook};
use ridethrough_targets::service::{Env, FromService, Registry};

use crate::case::{Case, Run};
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
    let run = run(Arc::new(|name: &str, config, env: Env| match name {
        "watch" => Some(Box::pin(async {
            loop {
                tokio::task::yield_now().await;
            }
        })),
        _ => builtin(name, config, env),
    }))?;
    let judgement = &run.outcome.judgement;
    let reasons = judgement.invalid.join("; ");
    if judgement.exit == 3 && reasons.contains("monitor/watch kept it alive") {
        Ok(())
    } else {
        Err(format!("exit {}: {reasons}", judgement.exit))
    }
}

fn record(plant: bool) -> Result<Vec<u8>, String> {
    let run = run(Arc::new(move |name: &str, config, env: Env| {
        if plant && name == "supervisor" {
            env.panel.say(careless(env.clock.now_us()));
        }
        builtin(name, config, env)
    }))?;
    run.record()
}

fn run(registry: Arc<Registry>) -> Result<Run, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("power/sag-inside.yaml");
    let playbook = load_playbook(&path).map_err(|errors| errors.render(false))?;
    let case = Case {
        playbook,
        control: None,
    };
    case.run_with(WorldKind::Virtual, registry)
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
