//! `upsc`, `upscmd`, `upsrw`.

use libtest_mimic::Failed;
use ridethrough_targets::service::{FromService, ToService};
use ridethrough_targets::telemetry::{DeviceCommand, ReadingStatus};

use super::peer::{Peer, WAIT, check};
use super::site::{Site, reading, until};

pub(crate) async fn upsc_lists(upsc: Peer) -> Result<(), Failed> {
    let site = Site::start(true).await?;
    let short = upsc.run(&["-l", &site.server()]).await?;
    check(short.good && short.out == "ups-a\n", short.out)?;
    let long = upsc.run(&["-L", &site.server()]).await?;
    check(long.out == "ups-a: Row A, \"left\" feed\n", long.out)?;
    let clients = upsc.run(&["-c", &site.ups()]).await?;
    check(clients.good && clients.out.is_empty(), clients.out)
}

pub(crate) async fn upsc_reads(upsc: Peer) -> Result<(), Failed> {
    let mut site = Site::start(true).await?;
    let all = upsc.run(&[&site.ups()]).await?;
    for line in [
        "battery.charge: 60",
        "battery.runtime: 500",
        "device.type: ups",
        "input.voltage: 231.2",
        "ups.load: 32.0",
        "ups.status: OL",
    ] {
        check(
            all.out.lines().any(|l| l == line),
            format!("no {line:?} in {}", all.out),
        )?;
    }
    site.read(reading(ReadingStatus::OnBattery));
    site.until_state("on_battery").await?;
    let one = upsc.run(&[&site.ups(), "ups.status"]).await?;
    check(one.out == "OB DISCHRG\n", one.out)?;
    let none = upsc.run(&[&site.ups(), "no.such"]).await?;
    check(!none.good && none.err.contains("not supported"), none.err)
}

pub(crate) async fn upsc_stale(upsc: Peer) -> Result<(), Failed> {
    let mut site = Site::start(true).await?;
    let _ = site.card.outbox.send(ToService::Stop);
    site.until_state("blind").await?;
    let gone = upsc.run(&[&site.ups(), "ups.status"]).await?;
    check(
        !gone.good && gone.err.contains("Driver not connected"),
        gone.err,
    )
}

pub(crate) async fn upscmd_runs(upscmd: Peer) -> Result<(), Failed> {
    let mut site = Site::start(true).await?;
    let list = upscmd.run(&["-l", &site.ups()]).await?;
    check(
        list.out
            .contains("load.off - Turn off the load immediately"),
        list.out,
    )?;
    let ups = site.ups();
    let mute = ["-u", "admin", "-p", "pw", "-w", &ups, "beeper.mute"];
    let mute = upscmd.run(&mute).await?;
    check(mute.good, format!("{} {}", mute.out, mute.err))?;

    // With `-w` the program waits until the device has said what became of it.
    let off = [
        "-u", "admin", "-p", "pw", "-w", "-t", "30", &ups, "load.off",
    ];
    let off = upscmd.run(&off);
    let switch = async {
        let off = DeviceCommand::Output { on: false };
        let told =
            |w: &FromService| matches!(w, FromService::Command { command, .. } if *command == off);
        let word = until(&mut site.card, told).await?;
        let FromService::Command { ticket, .. } = word else {
            return Err("no order".into());
        };
        site.read(reading(ReadingStatus::Off));
        let outcome = Ok(());
        let _ = site.card.outbox.send(ToService::Obeyed { ticket, outcome });
        Ok::<(), Failed>(())
    };
    let (off, switch) = tokio::join!(off, switch);
    switch?;
    let off = off?;
    check(
        off.good && !off.out.contains("FAILED"),
        format!("{} {}", off.out, off.err),
    )
}

pub(crate) async fn upscmd_refused(upscmd: Peer) -> Result<(), Failed> {
    let site = Site::start(true).await?;
    let ups = site.ups();
    let unknown = ["-u", "admin", "-p", "pw", &ups, "test.battery.start.quick"];
    let unknown = upscmd.run(&unknown).await?;
    check(
        !unknown.good && unknown.err.contains("CMD-NOT-SUPPORTED"),
        unknown.err,
    )?;
    let denied = ["-u", "sec", "-p", "pw", &ups, "load.off"];
    let denied = upscmd.run(&denied).await?;
    check(
        !denied.good && denied.err.contains("ACCESS-DENIED"),
        denied.err,
    )
}

pub(crate) async fn upsrw_sets(upsrw: Peer) -> Result<(), Failed> {
    let mut site = Site::start(true).await?;
    let list = upsrw.run(&[&site.ups()]).await?;
    check(
        list.out.contains("[battery.charge.low]") && list.out.contains("Type: RANGE"),
        list.out,
    )?;
    site.read(reading(ReadingStatus::OnBattery));
    site.until_state("on_battery").await?;
    let ups = site.ups();
    let wild = [
        "-s",
        "battery.charge.low=101",
        "-u",
        "admin",
        "-p",
        "pw",
        &ups,
    ];
    let wild = upsrw.run(&wild).await?;
    check(!wild.good && wild.err.contains("INVALID-VALUE"), wild.err)?;
    let set = [
        "-w",
        "-s",
        "battery.charge.low=70",
        "-u",
        "admin",
        "-p",
        "pw",
        &ups,
    ];
    let set = upsrw.run(&set).await?;
    check(set.good, format!("{} {}", set.out, set.err))?;
    // At 60 % of charge the battery is low now.
    let low = tokio::time::timeout(WAIT, site.until_state("low_battery"));
    low.await.map_err(|_| "the threshold had no effect")?
}
