//! Rules of the fabric, as the probe sees them.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::{
    Direction, Impairment, LinkRule, PROBE_PAYLOAD_MIN, ProbeReport, ProbeSpec, World,
};

use super::site::{Site, builtin, node, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("embedded::fabric::partitions", partitions),
        trial("embedded::fabric::latency_and_loss", latency_and_loss),
        trial("embedded::fabric::impairments", impairments),
    ]
}

const NAMES: [&str; 3] = ["one", "two", "three"];

/// Packets that reached somebody in [`partitions`], at least.
const PROBES: usize = 50;

async fn site() -> Result<Site, Failed> {
    let site = Site::captured(&NAMES).await?;
    for name in NAMES {
        let spec = node(&NAMES, name, vec![("idle", builtin("idle"))]);
        site.world.boot(&spec, 0).await?;
    }
    // Neighbours know each other from here on.
    for (from, to) in [("one", "two"), ("two", "three"), ("three", "one")] {
        assert_eq!(probe(&site, from, to, 5).await?.answered, 5);
    }
    Ok(site)
}

async fn probe(site: &Site, from: &str, to: &str, count: u32) -> Result<ProbeReport, Failed> {
    let spec = ProbeSpec {
        from: from.into(),
        to: to.into(),
        count,
        interval: Span::from_millis(2),
        wait: Span::from_millis(400),
        payload: PROBE_PAYLOAD_MIN,
        port: None,
    };
    Ok(site.world.probe(&spec).await?)
}

fn rule(direction: Direction, impairment: Impairment) -> LinkRule {
    LinkRule {
        a: vec!["one".into()],
        b: vec!["two".into()],
        direction,
        port: None,
        impairment,
    }
}

/// With large segments and checksums left to the devices, as in a run.
async fn impairments() -> Result<(), Failed> {
    let site = Site::open(&NAMES).await?;
    for name in NAMES {
        let spec = node(&NAMES, name, vec![("idle", builtin("idle"))]);
        site.world.boot(&spec, 0).await?;
    }
    assert_eq!(probe(&site, "one", "two", 5).await?.answered, 5);
    crate::impairments::all(&site.world).await?;
    crate::impairments::names(&site.world).await?;
    site.world.close().await?;
    Ok(())
}

async fn partitions() -> Result<(), Failed> {
    let site = site().await?;
    let world = &site.world;

    let both = world.install(rule(Direction::Both, Impairment::Drop))?;
    let report = probe(&site, "one", "two", 5).await?;
    assert_eq!((report.arrived, report.answered), (Some(0), 0));
    assert_eq!(probe(&site, "one", "three", 5).await?.answered, 5);
    world.remove(both);
    assert_eq!(probe(&site, "one", "two", 5).await?.answered, 5);

    let one_way = world.install(rule(Direction::AToB, Impairment::Drop))?;
    let report = probe(&site, "one", "two", 5).await?;
    assert_eq!((report.arrived, report.answered), (Some(0), 0));
    let report = probe(&site, "two", "one", 5).await?;
    assert_eq!((report.arrived, report.answered), (Some(5), 0));
    world.remove(one_way);
    assert!(0 < world.counters("one")?.dropped);

    let stranger = LinkRule {
        a: vec!["nobody".into()],
        ..rule(Direction::Both, Impairment::Drop)
    };
    assert!(world.install(stranger).is_err());
    world.close().await?;
    let capture = std::fs::read(site.folder.path().join("capture.pcapng"))?;
    assert!(capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    assert!(PROBES * 60 < capture.len(), "{} bytes", capture.len());
    Ok(())
}

async fn latency_and_loss() -> Result<(), Failed> {
    let site = site().await?;
    let world = &site.world;
    let delay = Impairment::delay(Span::from_millis(40), Span::from_millis(0));
    let slow = world.install(rule(Direction::Both, delay))?;
    let report = probe(&site, "one", "two", 20).await?;
    let median_us = report.rtt_median_us().unwrap_or(0);
    assert!((80_000..160_000).contains(&median_us), "{report:?}");
    world.remove(slow);

    let probability = "0.5pu".parse::<PerUnit>()?;
    let lossy = world.install(rule(Direction::AToB, Impairment::Loss { probability }))?;
    let report = probe(&site, "one", "two", 400).await?;
    assert_eq!(report.arrived, Some(report.answered));
    assert!((0.38..0.62).contains(&report.lost()), "{}", report.lost());
    world.remove(lossy);
    assert_eq!(probe(&site, "one", "two", 20).await?.answered, 20);
    world.close().await?;
    Ok(())
}
