//! `snmpget`, `snmpwalk`, `snmpbulkwalk`.

use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::supervisor::snmp::SnmpConfig;
use ridethrough_targets::telemetry::{Distorted, Distortion, Protocol};
use ridethrough_targets::units::Span;
use tokio::time::Instant;

use crate::peer::{Output, Peer, check};
use crate::site::{APC, Site, UPS};

pub(crate) const V1: [&str; 3] = ["-v1", "-c", "public"];
pub(crate) const V2: [&str; 3] = ["-v2c", "-c", "public"];

/// The output has these lines, as they are.
pub(crate) fn has(output: &Output, lines: &[String]) -> Result<(), Failed> {
    for line in lines {
        let found = output.out.lines().any(|l| l.trim_end() == line);
        let saw = format!("no {line:?} in {} {}", output.out, output.err);
        check(found, saw)?;
    }
    Ok(())
}

pub(crate) async fn get(snmpget: Peer) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    let expected = [
        format!(".{UPS}.1.1.0 = STRING: \"ridethrough\""),
        format!(".{UPS}.2.1.0 = INTEGER: 2"),
        format!(".{UPS}.2.3.0 = INTEGER: 8"),
        format!(".{UPS}.2.4.0 = INTEGER: 60"),
        format!(".{UPS}.3.1.0 = Counter32: 0"),
        format!(".{UPS}.3.3.1.3.1 = INTEGER: 231"),
        format!(".{UPS}.4.1.0 = INTEGER: 3"),
        format!(".{UPS}.4.4.1.5.1 = INTEGER: 32"),
        format!(".{UPS}.6.1.0 = Gauge32: 0"),
        format!(".{UPS}.8.2.0 = INTEGER: -1"),
        format!(".{APC}.1.4.1.1.0 = INTEGER: 2"),
        format!(".{APC}.1.2.2.3.0 = Timeticks: (50000) 0:08:20.00"),
    ];
    let names: Vec<&str> = expected
        .iter()
        .filter_map(|l| l.split(' ').next())
        .collect();
    for version in [V1, V2] {
        let output = site.run(&snmpget, &version, &names).await?;
        has(&output, &expected)?;
    }
    let uptime = site.run(&snmpget, &V2, &["1.3.6.1.2.1.1.3.0"]).await?;
    check(uptime.out.contains("Timeticks: ("), uptime.out)
}

pub(crate) async fn missing(snmpget: Peer) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    let good = format!("{UPS}.4.1.0");
    let instance = format!("{UPS}.4.1.1");
    let names = [good.as_str(), &instance, "1.3.6.1.2.1.2.1.0"];
    let output = site.run(&snmpget, &V2, &names).await?;
    check(output.out.contains("No Such Instance"), output.out.clone())?;
    check(output.out.contains("No Such Object"), output.out)?;
    // SNMPv1 has one error for both, and says which variable has it.
    let options = [&V1[..], &["-Cf"]].concat();
    let output = site.run(&snmpget, &options, &names).await?;
    let saw = format!("{} {}", output.out, output.err);
    check(
        !output.good && saw.contains("(noSuchName)") && saw.contains(&instance),
        saw,
    )
}

pub(crate) async fn stranger(snmpget: Peer) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    for community in ["secret", "public@nowhere", ""] {
        let options = ["-v2c", "-c", community, "-t", "0.3"];
        let output = site.run(&snmpget, &options, &["1.3.6.1.2.1.1.3.0"]).await?;
        check(output.err.contains("Timeout"), output.err)?;
    }
    Ok(())
}

pub(crate) async fn selects(snmpget: Peer) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    let name = "1.3.6.1.2.1.1.5.0";
    for (community, device) in [
        ("public", "ups-a"),
        ("public@ups-b", "ups-b"),
        ("private@pdu-a", "pdu-a"),
    ] {
        let options = ["-v2c", "-c", community];
        let output = site.run(&snmpget, &options, &[name]).await?;
        has(&output, &[format!(".{name} = STRING: \"{device}\"")])?;
    }
    let ats = [
        format!(".{APC}.8.5.1.2.0 = INTEGER: 1"),
        format!(".{APC}.8.5.3.3.1.3.2.1.1 = INTEGER: 229"),
        format!(".{APC}.8.5.1.15.0 = INTEGER: 2"),
    ];
    let names: Vec<&str> = ats.iter().filter_map(|l| l.split(' ').next()).collect();
    let options = ["-v2c", "-c", "public@ats"];
    has(&site.run(&snmpget, &options, &names).await?, &ats)?;
    let pdu = [
        format!(".{APC}.4.4.1.0 = INTEGER: 2"),
        format!(".{APC}.4.4.2.1.3.2 = INTEGER: 1"),
        format!(".{APC}.4.4.2.1.4.2 = STRING: \"gpu-2\""),
    ];
    let names: Vec<&str> = pdu.iter().filter_map(|l| l.split(' ').next()).collect();
    let options = ["-v2c", "-c", "public@pdu-a"];
    has(&site.run(&snmpget, &options, &names).await?, &pdu)
}

pub(crate) async fn telemetry(snmpget: Peer) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    let only = |how| Distorted {
        how,
        protocols: vec![Protocol::Snmp],
        devices: vec!["ups-a".into()],
    };
    let source = format!("{UPS}.4.1.0");
    let alarm = format!("{UPS}.6.2.1.2.1");
    let volts = format!("{UPS}.3.3.1.3.1");
    site.board.distort(1, only(Distortion::Stale));
    let names = [source.as_str(), &alarm, &volts];
    let output = site.run(&snmpget, &V2, &names).await?;
    has(
        &output,
        &[
            format!(".{source} = INTEGER: 1"),
            format!(".{alarm} = OID: .{UPS}.6.3.20"),
            format!(".{volts} = No Such Instance currently exists at this OID"),
        ],
    )?;
    site.board.restore(1);
    site.board.distort(2, only(Distortion::Lost));
    let quick = ["-v2c", "-c", "public", "-t", "0.3"];
    let output = site.run(&snmpget, &quick, &[&source]).await?;
    check(output.err.contains("Timeout"), output.err)?;
    site.board.restore(2);
    let by = Span::from_millis(700);
    site.board.distort(3, only(Distortion::Slow { by }));
    let begin = Instant::now();
    let asked = [source.as_str()];
    let slow = site.run(&snmpget, &V2, &asked);
    let other = async {
        let options = ["-v2c", "-c", "public@ups-b"];
        let output = site.run(&snmpget, &options, &[&source]).await?;
        Ok::<_, Failed>((output, begin.elapsed()))
    };
    let (slow, other) = tokio::join!(slow, other);
    let (other, quick) = other?;
    has(&slow?, &[format!(".{source} = INTEGER: 3")])?;
    has(&other, &[format!(".{source} = INTEGER: 3")])?;
    let took = begin.elapsed();
    check(
        took >= Duration::from_millis(700) && quick < Duration::from_millis(600),
        format!("{took:?} and {quick:?}"),
    )
}

fn oid(line: &str) -> Vec<u32> {
    let name = line.split(' ').next().unwrap_or_default();
    name.split('.').filter_map(|arc| arc.parse().ok()).collect()
}

pub(crate) async fn walk(snmpwalk: Peer) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    for version in [V1, V2] {
        for (root, at_least) in [(UPS, 45), (APC, 30), ("1.3.6.1.2.1.1", 7)] {
            let output = site.run(&snmpwalk, &version, &[root]).await?;
            let rows = output.out.lines().filter(|line| {
                // The last line may say that the tree has ended.
                line.starts_with('.') && !line.contains("No more variables")
            });
            let oids: Vec<_> = rows.map(oid).collect();
            let sorted = oids.is_sorted_by(|a, b| a < b);
            let saw = format!("{} of {root}: {}", oids.len(), output.out);
            check(output.good && sorted && oids.len() >= at_least, saw)?;
        }
    }
    let all = site.run(&snmpwalk, &V2, &["1.3"]).await?;
    check(
        all.out
            .trim_end()
            .ends_with("(It is past the end of the MIB tree)"),
        all.out,
    )
}

/// Whatever the greatest message: the same objects with the same values.
pub(crate) async fn bulk(snmpbulkwalk: Peer) -> Result<(), Failed> {
    let mut seen = Vec::new();
    for (max_message, repetitions) in [(484, "-Cr50"), (1_472, "-Cr10"), (9_000, "-Cr1000")] {
        let config = SnmpConfig {
            max_message,
            ..SnmpConfig::default()
        };
        let site = Site::start(config).await?;
        let options = [&V2[..], &[repetitions]].concat();
        let output = site.run(&snmpbulkwalk, &options, &[UPS]).await?;
        check(output.good, output.err)?;
        seen.push(output.out);
    }
    let rows = seen[0].lines().count();
    check(rows >= 45, seen[0].clone())?;
    check(seen.iter().all(|s| *s == seen[0]), seen.join("\n"))
}
