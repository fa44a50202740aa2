//! `snmpset`.

use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::supervisor::snmp::SnmpConfig;
use ridethrough_targets::telemetry::DeviceCommand;
use tokio::time::{Instant, sleep};

use crate::peer::{Peer, check};
use crate::read::has;
use crate::site::{APC, Site, UPS};

const WRITE: [&str; 3] = ["-v2c", "-c", "private"];

pub(crate) async fn sets(snmpset: Peer) -> Result<(), Failed> {
    let mut site = Site::start(SnmpConfig::default()).await?;
    let contact = "1.3.6.1.2.1.1.4.0";
    let name = format!("{UPS}.1.5.0");
    let two = [contact, "s", "night shift", &name, "s", "left"];
    let output = site.run(&snmpset, &WRITE, &two).await?;
    has(
        &output,
        &[
            format!(".{contact} = STRING: \"night shift\""),
            format!(".{name} = STRING: \"left\""),
        ],
    )?;
    for (community, object, value, device, command) in [
        (
            "private",
            format!("{APC}.1.6.2.1.0"),
            "2",
            "ups-a",
            output_off(),
        ),
        (
            "private@ups-b",
            format!("{UPS}.8.2.0"),
            "0",
            "ups-b",
            output_off(),
        ),
        (
            "private@ats",
            format!("{APC}.8.4.2.0"),
            "2",
            "ats",
            DeviceCommand::Prefer { source: 1 },
        ),
        (
            "private@pdu-a",
            format!("{APC}.4.4.2.1.3.2"),
            "2",
            "pdu-a",
            DeviceCommand::Outlet {
                index: 1,
                on: false,
            },
        ),
    ] {
        for version in ["-v1", "-v2c"] {
            let options = [version, "-c", community];
            let rest = [object.as_str(), "i", value];
            let output = site.run(&snmpset, &options, &rest).await?;
            check(output.good, output.err)?;
            let order = site.order().await?;
            let saw = format!("{order:?}");
            check(order == (device.to_string(), command.clone()), saw)?;
        }
    }
    Ok(())
}

fn output_off() -> DeviceCommand {
    DeviceCommand::Output { on: false }
}

pub(crate) async fn refused(snmpset: Peer) -> Result<(), Failed> {
    let mut site = Site::start(SnmpConfig::default()).await?;
    let off = format!("{APC}.1.6.2.1.0");
    let conserve = format!("{APC}.1.6.1.1.0");
    let bypass = format!("{APC}.1.6.2.7.0");
    let source = format!("{UPS}.4.1.0");
    let spin = format!("{UPS}.7.2.0");
    for (community, name, kind, value, v2, v1) in [
        ("public", &off, "i", "2", "noAccess", "noSuchName"),
        ("private", &source, "i", "3", "notWritable", "noSuchName"),
        ("private", &off, "s", "2", "wrongType", "badValue"),
        ("private", &off, "i", "9", "wrongValue", "badValue"),
        (
            "private",
            &conserve,
            "i",
            "2",
            "inconsistentValue",
            "badValue",
        ),
        ("private", &spin, "i", "7", "inconsistentValue", "badValue"),
        ("private", &bypass, "i", "2", "commitFailed", "genError"),
    ] {
        for (version, error) in [("-v2c", v2), ("-v1", v1)] {
            let options = [version, "-c", community];
            let output = site.run(&snmpset, &options, &[name, kind, value]).await?;
            let saw = format!("{name} {version}: {} {}", output.out, output.err);
            let error = format!("Reason: {error}");
            check(!output.good && without_case(&saw, &error), saw)?;
        }
    }
    while site.orders.try_recv().is_ok() {}
    // What cannot all be done is not done at all.
    let both = [off.as_str(), "i", "2", &source, "i", "3"];
    let output = site.run(&snmpset, &WRITE, &both).await?;
    check(!output.good && output.err.contains(&source), output.err)?;
    check(site.no_order().await, "an order came")
}

/// net-snmp writes `(genError)`, `notWritable (...)`, `(noSuchName)`.
fn without_case(saw: &str, error: &str) -> bool {
    let plain = |s: &str| s.to_lowercase().replace(['(', ')'], "");
    plain(saw).contains(&plain(error))
}

pub(crate) async fn counts_down(snmpset: Peer) -> Result<(), Failed> {
    let mut site = Site::start(SnmpConfig::default()).await?;
    let after = format!("{UPS}.8.2.0");
    let begin = Instant::now();
    let set = site.run(&snmpset, &WRITE, &[&after, "i", "2"]).await?;
    has(&set, &[format!(".{after} = INTEGER: 2")])?;
    let stop = site.run(&snmpset, &WRITE, &[&after, "i", "-1"]).await?;
    check(stop.good, stop.err)?;
    sleep(Duration::from_millis(2_200)).await;
    check(site.no_order().await, "an order that was called off came")?;
    let reboot = format!("{UPS}.8.4.0");
    let set = site.run(&snmpset, &WRITE, &[&reboot, "i", "1"]).await?;
    check(set.good, set.err)?;
    let (_, off) = site.order().await?;
    let (_, on) = site.order().await?;
    let saw = format!("{off:?} {on:?} after {:?}", begin.elapsed());
    check(
        off == output_off() && on == DeviceCommand::Output { on: true },
        saw,
    )
}
