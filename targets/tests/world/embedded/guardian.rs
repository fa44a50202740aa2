//! A guardian over a journal, without a run: what makes it act, and what it
//! leaves alone.

use std::path::Path;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::undo::{Guard, GuardOrder, Journal, Undo};
use ridethrough_targets::units::Span;
use tokio::time::{Duration, timeout};

use super::site::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("embedded::guardian::a_run_beyond_its_bound", bound),
        trial("embedded::guardian::a_run_that_was_given_up", given_up),
        trial("embedded::guardian::a_run_in_good_order", good_order),
    ]
}

/// How long a guardian may take.
const LIMIT: Duration = Duration::from_secs(20);

/// An order of a harness that is nobody's parent: no process is ever killed by
/// these cases.
fn order(state: &Path, bound: Span) -> GuardOrder {
    GuardOrder {
        state: state.to_path_buf(),
        run: "one".into(),
        harness: 0,
        lease: Span::from_secs(60),
        bound,
    }
}

async fn start(order: &GuardOrder) -> Result<Guard, Failed> {
    let exe = std::env::current_exe()?;
    Ok(Guard::start(&exe, order).await?)
}

/// A journal of a folder that was made. Its lock is gone, as a dead harness's.
fn change(order: &GuardOrder) -> Result<std::path::PathBuf, Failed> {
    let journal = Journal::create(&order.journal())?;
    let path = order.state.join("ridethrough-made");
    journal.record(Undo::Folder { path: path.clone() })?;
    std::fs::create_dir(&path)?;
    Ok(path)
}

async fn bound() -> Result<(), Failed> {
    let state = tempfile::tempdir()?;
    let order = order(state.path(), Span::from_millis(300));
    let made = change(&order)?;
    let guard = start(&order).await?;
    timeout(LIMIT, guard.lost.cancelled()).await?;
    gone(&order, &made)
}

async fn given_up() -> Result<(), Failed> {
    let state = tempfile::tempdir()?;
    let mut order = order(state.path(), Span::from_secs(600));
    // Were it to end its harness, this test would not be there to tell.
    order.harness = std::process::id();
    let made = change(&order)?;
    let guard = start(&order).await?;
    let lost = guard.lost.clone();
    drop(guard);
    timeout(LIMIT, lost.cancelled()).await?;
    gone(&order, &made)
}

async fn good_order() -> Result<(), Failed> {
    let state = tempfile::tempdir()?;
    let order = order(state.path(), Span::from_secs(600));
    let made = change(&order)?;
    let guard = start(&order).await?;
    timeout(LIMIT, guard.over()).await?;
    match made.exists() && !order.guard().exists() {
        true => Ok(()),
        false => Err("a run that is over was undone".into()),
    }
}

fn gone(order: &GuardOrder, made: &Path) -> Result<(), Failed> {
    for path in [made, &order.journal(), &order.guard()] {
        if path.exists() {
            return Err(format!("{} is left", path.display()).into());
        }
    }
    Ok(())
}
