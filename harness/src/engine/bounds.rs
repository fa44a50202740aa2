//! How long a run may take, and who ends it sooner.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use ridethrough_targets::units::Span;

use super::injector::WITNESS;
use super::recorder::Recorder;
use super::rehearse::pass;
use crate::judge::Abort;
use crate::plan::Plan;
use crate::record::Body;

/// How long requests may go on after the last phase.
pub(super) const DRAIN: Span = Span::from_secs(10);
/// What the ledger may take to be told after the drain.
pub(super) const LEDGER_BOUND: Duration = Duration::from_secs(10);

/// The longest that a run of a plan takes by its own bounds, its first boots
/// aside.
pub fn longest(plan: &Plan) -> Span {
    let ready = plan.playbook.stack.ready_within.duration() + model_load(plan);
    let ready = ready + pass(plan);
    let all = ready + plan.total.duration() + WITNESS + DRAIN.duration() + LEDGER_BOUND;
    Span::from_micros(u64::try_from(all.as_micros()).unwrap_or(u64::MAX))
}

/// The longest model load of the stack's replicas.
pub(super) fn model_load(plan: &Plan) -> Duration {
    let services = plan.playbook.stack.services.values();
    let loads = services.filter_map(|s| s.replica.as_ref().map(|r| r.model_load));
    loads.max().unwrap_or_default().duration()
}

/// Stops a run that must not go on.
pub(super) async fn mind(
    recorder: Recorder,
    unguarded: CancellationToken,
    stop: CancellationToken,
) {
    let abort = recorder.abort();
    tokio::select! {
        biased;
        () = abort.cancelled() => match recorder.aborted() {
            Some(Abort::BlastRadius(reason)) => {
                recorder.now("engine", Body::Invalid { reason });
            }
            Some(Abort::Broken(text)) => {
                let text = format!("ended early: {text}");
                recorder.now("engine", Body::Note { text });
            }
            None => {}
        },
        () = unguarded.cancelled() => {
            let reason = "the guardian is gone: nobody would undo this run".into();
            recorder.now("engine", Body::Invalid { reason });
        }
    }
    stop.cancel();
}
