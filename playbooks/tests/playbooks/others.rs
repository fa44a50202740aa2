//! Models of others that are not as they should be when nothing is broken.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ridethrough::builtin::builtin;
use ridethrough::playbook::{Control, WorldKind, load_playbook};
use ridethrough_targets::service::{Env, Registry};
use serde_json::json;

use crate::case::{Case, Run};
use crate::repeat::same;

/// A model that does not say the same thing twice is judged by structure, and
/// the report says why.
pub(crate) fn an_unsure_model_is_judged_by_structure() -> Result<(), String> {
    // The first replica to boot is of another mind than the others: it tells another answer.
    let moody = || -> Arc<Registry> {
        let boots = Arc::new(AtomicU64::new(0));
        Arc::new(move |name: &str, mut config: serde_json::Value, env: Env| {
            if name == "replica" && boots.fetch_add(1, Ordering::Relaxed) == 0 {
                config["known_bad"] = json!("cross_talk");
            }
            builtin(name, config, env)
        })
    };
    let run = run(&[("stack.gateway.mode", json!("none"))], moody())?;
    let by = run.outcome.summary.judged_by().unwrap_or_default();
    let told = by.contains("chat structural (") && by.contains("of 6 prompts differed");
    if !told {
        return Err(format!("judged by {by:?}"));
    }
    let again = self::run(&[("stack.gateway.mode", json!("none"))], moody())?;
    same(&run.record()?, &again.record()?)
}

/// A stack that fails before anything breaks makes the run invalid, and what to
/// do is told.
pub(crate) fn a_pass_that_fails_is_invalid() -> Result<(), String> {
    let bad = [
        ("stack.gateway.mode", json!("none")),
        ("stack.replica.known_bad", json!("error_only")),
    ];
    let run = run(&bad, Arc::new(builtin))?;
    let judgement = &run.outcome.judgement;
    let first = judgement.invalid.first().cloned().unwrap_or_default();
    let told = first.starts_with("the fault-free pass of load chat: 12 of 12 requests failed")
        && first.contains("see its logs");
    match judgement.exit == 3 && told && judgement.facts.rows.is_empty() {
        true => Ok(()),
        false => Err(format!("exit {}: {first}", judgement.exit)),
    }
}

fn run(set: &[(&str, serde_json::Value)], registry: Arc<Registry>) -> Result<Run, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("power/model-of-others.yaml");
    let playbook = load_playbook(&path).map_err(|errors| errors.render(false))?;
    let set = set.iter().map(|(k, v)| ((*k).to_string(), v.clone()));
    let control = Control {
        name: "planted".into(),
        set: set.collect(),
        fails: "continuity".into(),
    };
    let case = Case {
        playbook,
        control: Some(control),
    };
    case.run_with(WorldKind::Virtual, registry)
}
