//! What a volume keeps over a cut, over a SIGKILL, and while it fails: the same
//! in every world.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::disk::{DiskFault, DiskOp, DiskProbe, DiskReport};
use ridethrough_targets::service::FromService;
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::{Backing, NodeSpec, World, WorldEvent};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::site::{builtin, node, with_volume};
use crate::virtual_site::{VirtualSite, virtual_trial};

pub(crate) const NAMES: [&str; 1] = ["store"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        virtual_trial(
            "virtual::volumes::a_cut_takes_what_was_not_flushed",
            || async {
                let mut site = VirtualSite::open(&NAMES, [])?;
                cut(&*site.world, &mut site.events, Backing::Auto).await
            },
        ),
        virtual_trial("virtual::volumes::a_sigkill_takes_nothing", || async {
            let mut site = VirtualSite::open(&NAMES, [])?;
            kill(&*site.world, &mut site.events, Backing::Auto).await
        }),
        virtual_trial("virtual::volumes::faults_are_seen_by_a_probe", || async {
            let mut site = VirtualSite::open(&NAMES, [])?;
            faults(&*site.world, &mut site.events, Backing::Auto).await
        }),
    ]
}

pub(crate) fn spec(backing: Backing) -> NodeSpec {
    let store = node(&NAMES, "store", vec![("scribe", builtin("scribe"))]);
    with_volume(store, backing)
}

/// Boots the node; what its service found in its log.
///
/// Ext4 may keep the length of what was not flushed, if anything made it commit
/// its journal since, and then has zeros there.
pub(crate) async fn boot(
    world: &dyn World,
    events: &mut UnboundedReceiver<WorldEvent>,
    backing: Backing,
    boot: u32,
) -> Result<String, Failed> {
    world.boot(&spec(backing), boot).await?;
    let mut found = None;
    loop {
        let event = timeout(Duration::from_secs(20), events.recv()).await?;
        match event.ok_or("the world is gone")? {
            WorldEvent::Said { word, .. } => match word {
                FromService::Ledger(text) => found = text.as_str().map(str::to_string),
                FromService::Ready { .. } => {
                    let found: String = found.ok_or("no word")?;
                    let zeros = backing == Backing::Ext4;
                    let end = if zeros {
                        found.trim_end_matches('\0').len()
                    } else {
                        found.len()
                    };
                    return Ok(found[..end].to_string());
                }
                FromService::Failed { error } => return Err(error.into()),
                _ => {}
            },
            WorldEvent::Exited { how, tail, .. } if !how.starts_with("signal") => {
                return Err(format!("{how}: {tail}").into());
            }
            WorldEvent::Exited { .. } => {}
            WorldEvent::Halted { reason } => return Err(reason.into()),
        }
    }
}

pub(crate) async fn cut(
    world: &dyn World,
    events: &mut UnboundedReceiver<WorldEvent>,
    backing: Backing,
) -> Result<(), Failed> {
    assert_eq!(boot(world, events, backing, 0).await?, "");
    let receipts = world.cut(&NAMES.map(String::from)).await?;
    let lost = &receipts[0].lost;
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0].service, "scribe");
    let sector = lost[0].unsynced_bytes.is_none_or(|bytes| bytes == 15);
    assert!(sector, "{lost:?}");
    assert_eq!(boot(world, events, backing, 1).await?, "flushed");
    // A second cut finds nothing to take.
    world.cut(&NAMES.map(String::from)).await?;
    assert_eq!(boot(world, events, backing, 2).await?, "flushed");
    Ok(world.close().await?)
}

/// What was not flushed is still to be lost after the processes are dead.
pub(crate) async fn kill(
    world: &dyn World,
    events: &mut UnboundedReceiver<WorldEvent>,
    backing: Backing,
) -> Result<(), Failed> {
    boot(world, events, backing, 0).await?;
    world.kill("store").await?;
    let receipts = world.cut(&NAMES.map(String::from)).await?;
    assert_eq!(receipts[0].lost[0].unsynced_bytes, Some(15));
    Ok(world.close().await?)
}

pub(crate) async fn look(world: &dyn World, rounds: u32) -> Result<DiskReport, Failed> {
    let patience = Span::from_secs(5);
    let asked = DiskProbe { rounds, patience };
    Ok(world.probe_disk("store", "scribe", &asked).await?)
}

pub(crate) async fn well(world: &dyn World) -> Result<DiskReport, Failed> {
    let report = look(world, 3).await?;
    for round in &report.rounds {
        assert_eq!(round.same, Some(true), "{round:?}");
        for answer in [&round.write, &round.fsync, &round.read] {
            assert_eq!(answer.error, None, "{round:?}");
        }
    }
    Ok(report)
}

pub(crate) async fn faults(
    world: &dyn World,
    events: &mut UnboundedReceiver<WorldEvent>,
    backing: Backing,
) -> Result<(), Failed> {
    boot(world, events, backing, 0).await?;
    let sound = well(world).await?;
    assert_eq!((sound.sectors, sound.synced, sound.unsynced), (64, 64, 0));
    let fail = |fault| world.disk_fault("store", "scribe", fault);
    let mend = |id| world.disk_heal("store", "scribe", id);

    let slow = fail(DiskFault::Slow {
        by: Span::from_millis(30),
    })
    .await?;
    let report = look(world, 2).await?;
    for round in &report.rounds {
        let least = round.write.took.min(round.fsync.took).min(round.read.took);
        assert!(least >= Span::from_millis(30), "{round:?}");
    }
    mend(slow).await?;

    let full = fail(DiskFault::Full).await?;
    let report = look(world, 1).await?;
    assert_eq!(report.rounds[0].write.error.as_deref(), Some("ENOSPC"));
    mend(full).await?;

    let probability = PerUnit(1.0);
    for on in [DiskOp::Read, DiskOp::Write, DiskOp::Fsync] {
        let failing = fail(DiskFault::Errors { on, probability }).await?;
        let round = look(world, 1).await?.rounds.remove(0);
        let answers = [
            (DiskOp::Read, round.read),
            (DiskOp::Write, round.write),
            (DiskOp::Fsync, round.fsync),
        ];
        for (op, answer) in answers {
            let wanted = (op == on).then_some("EIO");
            assert_eq!(answer.error.as_deref(), wanted, "{op:?} while {on:?} fails");
        }
        mend(failing).await?;
    }

    let torn = fail(DiskFault::Torn).await?;
    let report = well(world).await?;
    assert!((1..64).contains(&report.unsynced), "{report:?}");
    assert_eq!(report.synced, 64);
    mend(torn).await?;

    let forgets = fail(DiskFault::ForgetsFsync).await?;
    let report = well(world).await?;
    assert_eq!((report.synced, report.unsynced), (0, 0));
    mend(forgets).await?;

    let sound = well(world).await?;
    assert_eq!((sound.sectors, sound.synced, sound.unsynced), (64, 64, 0));
    Ok(world.close().await?)
}
