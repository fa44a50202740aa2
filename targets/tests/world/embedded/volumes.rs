//! Volumes of real file systems, and of FUSE.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::disk::DiskFault;
use ridethrough_targets::units::Span;
use ridethrough_targets::world::embedded::capabilities;
use ridethrough_targets::world::{Backing, World};

use super::site::{Site, node, shell, trial, with_volume};
use crate::volumes::{self, NAMES, boot, look, well};

/// Those whose file system cannot be had here are listed as ignored.
pub(crate) fn trials() -> Vec<Trial> {
    let found = capabilities();
    let mut all = Vec::new();
    for (name, capability, backing) in [
        ("ext4", "ext4 volumes", Backing::Ext4),
        ("fuse", "FUSE", Backing::Fuse),
    ] {
        let missing = found.iter().find(|c| c.name == capability && !c.found);
        if let Some(missing) = missing {
            let why = format!("{}; {}", missing.detail, missing.remedy);
            eprintln!("volumes of {name} ignored: {why}");
        }
        let test = |what: &str| format!("embedded::volumes::{name}::{what}");
        let trials = [
            trial(
                &test("a_cut_takes_what_was_not_flushed"),
                move || async move {
                    let mut site = Site::open(&NAMES).await?;
                    volumes::cut(&site.world, &mut site.events, backing).await
                },
            ),
            trial(&test("a_sigkill_takes_nothing"), move || sigkill(backing)),
            trial(&test("a_full_volume_stays_full_over_a_boot"), move || {
                full(backing)
            }),
        ];
        all.extend(trials.map(|t| t.with_ignored_flag(missing.is_some())));
        let own = match backing {
            Backing::Ext4 => trial(&test("other_faults_are_refused"), refused),
            Backing::Auto | Backing::Fuse => {
                trial(&test("faults_are_seen_by_a_probe"), move || async move {
                    let mut site = Site::open(&NAMES).await?;
                    volumes::faults(&site.world, &mut site.events, backing).await
                })
            }
        };
        all.push(own.with_ignored_flag(missing.is_some()));
    }
    all
}

/// One process writes and dies by SIGKILL; another reads.
async fn sigkill(backing: Backing) -> Result<(), Failed> {
    let site = Site::open(&NAMES).await?;
    let script = "printf one > $RIDETHROUGH_VOLUME/log; \
        sh -c 'printf two >> $RIDETHROUGH_VOLUME/log; kill -9 $$'; \
        cat $RIDETHROUGH_VOLUME/log; echo .; sleep 1000";
    let store = node(&NAMES, "store", vec![("shell", shell(script))]);
    site.world.boot(&with_volume(store, backing), 0).await?;
    for _ in 0..500 {
        if site.log("store").contains("onetwo.") {
            return Ok(site.world.close().await?);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Err(format!("it reads {:?}", site.log("store")).into())
}

async fn full(backing: Backing) -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    boot(&site.world, &mut site.events, backing, 0).await?;
    well(&site.world).await?;
    let full = site.world.disk_fault("store", "scribe", DiskFault::Full);
    let full = full.await?;
    for again in [1, 2] {
        let round = look(&site.world, 1).await?.rounds.remove(0);
        assert_eq!(round.write.error.as_deref(), Some("ENOSPC"), "{round:?}");
        site.world.cut(&NAMES.map(String::from)).await?;
        let found = boot(&site.world, &mut site.events, backing, again).await?;
        assert_eq!(found, "flushed");
    }
    site.world.disk_heal("store", "scribe", full).await?;
    well(&site.world).await?;
    Ok(site.world.close().await?)
}

async fn refused() -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    boot(&site.world, &mut site.events, Backing::Ext4, 0).await?;
    let by = Span::from_millis(10);
    for fault in [
        DiskFault::Slow { by },
        DiskFault::Torn,
        DiskFault::ForgetsFsync,
    ] {
        let refused = site.world.disk_fault("store", "scribe", fault).await;
        let why = refused.err().ok_or("it was accepted")?.to_string();
        assert!(why.contains("backing: fuse"), "{why}");
    }
    Ok(site.world.close().await?)
}
