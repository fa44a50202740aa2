//! What rules do to packets, as probes and kernels see it: the same in every
//! world.

use std::net::Ipv4Addr;

use libtest_mimic::Failed;
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::{
    ConnectionSpec, Darkness, Direction, End, GilbertElliott, Impairment, LinkRule, LookupError,
    NameAnswer, NameRule, PROBE_HEADERS, PROBE_PAYLOAD_MIN, ProbeReport, ProbeSpec, RuleId, World,
};

type Outcome = Result<(), Failed>;

const COUNT: u32 = 1_000;
const CHOSEN: f64 = 0.2;
/// Standard deviations that a share may be off.
const SIGMAS: f64 = 4.5;

/// Between nodes `one` and `two`, which are up and know each other.
pub(crate) async fn all(world: &dyn World) -> Outcome {
    duplicates(world).await?;
    reordering(world).await?;
    damage(world).await?;
    bursts(world).await?;
    black_hole(world).await?;
    flapping(world).await?;
    one_way(world).await?;
    cut_one_way(world).await?;
    one_port(world).await?;
    resets(world).await
}

fn rule(impairment: Impairment) -> LinkRule {
    LinkRule {
        a: vec!["one".into()],
        b: vec!["two".into()],
        direction: Direction::AToB,
        port: None,
        impairment,
    }
}

fn spec(count: u32) -> ProbeSpec {
    ProbeSpec {
        from: "one".into(),
        to: "two".into(),
        count,
        interval: Span::from_millis(1),
        wait: Span::from_millis(300),
        payload: PROBE_PAYLOAD_MIN,
        port: None,
    }
}

/// Probes under a rule.
async fn under(
    world: &dyn World,
    impairment: Impairment,
    spec: &ProbeSpec,
) -> Result<ProbeReport, Failed> {
    let id = world.install(rule(impairment))?;
    let report = world.probe(spec).await;
    world.remove(id);
    Ok(report?)
}

fn is_share(what: &str, count: u32, of: u32, p: f64) {
    let share = f64::from(count) / f64::from(of);
    let wide = SIGMAS * (p * (1.0 - p) / f64::from(of)).sqrt();
    assert!((share - p).abs() < wide, "{what}: {count} of {of}, not {p}");
}

async fn duplicates(world: &dyn World) -> Outcome {
    let probability = PerUnit(CHOSEN);
    let report = under(world, Impairment::Duplicate { probability }, &spec(COUNT)).await?;
    let there = report.there.clone().ok_or("nobody counted")?;
    assert_eq!((there.missing(), there.overtaken()), (0, 0));
    is_share("twice", there.duplicates(), COUNT, CHOSEN);
    assert_eq!(report.back.duplicates(), 0, "the other way is as it was");
    assert_eq!(report.answered, COUNT);
    Ok(())
}

async fn reordering(world: &dyn World) -> Outcome {
    let reorder = Impairment::Reorder {
        probability: PerUnit(CHOSEN),
        by: Span::from_millis(10),
    };
    let report = under(world, reorder, &spec(COUNT)).await?;
    let there = report.there.ok_or("nobody counted")?;
    assert_eq!((there.missing(), there.duplicates()), (0, 0));
    is_share("overtaken", there.overtaken(), COUNT, CHOSEN);
    assert_eq!(report.back.overtaken(), 0, "the other way is as it was");
    Ok(())
}

async fn damage(world: &dyn World) -> Outcome {
    let probability = PerUnit(CHOSEN);
    let report = under(world, Impairment::Corrupt { probability }, &spec(COUNT)).await?;
    let there = report.there.ok_or("nobody counted")?;
    is_share("dropped", there.missing(), COUNT, CHOSEN);
    let bad = report.bad_checksums.ok_or("no kernel counted")?;
    // A flipped bit in a length is seen before the checksum is: 16 of 384 bits.
    let least = f64::from(there.missing()) * 0.85;
    assert!(bad as f64 > least, "{bad} bad checksums");
    Ok(())
}

async fn bursts(world: &dyn World) -> Outcome {
    let asked = GilbertElliott {
        p: PerUnit(0.05),
        r: PerUnit(0.25),
        loss_good: PerUnit(0.0),
        loss_bad: PerUnit(1.0),
    };
    let report = under(world, Impairment::GilbertElliott(asked), &spec(COUNT)).await?;
    let there = report.there.ok_or("nobody counted")?;
    let chain = asked.chain();
    let share = f64::from(there.missing()) / f64::from(COUNT);
    let wide = SIGMAS * chain.spread(COUNT);
    assert!((share - chain.share()).abs() < wide, "{share}");
    let runs = there.lost_runs();
    let mean = f64::from(there.missing()) / runs.len() as f64;
    assert!((2.5..6.0).contains(&mean), "bursts of {mean}, not 4");
    Ok(())
}

async fn black_hole(world: &dyn World) -> Outcome {
    let sized = |bytes: u32| ProbeSpec {
        payload: bytes - PROBE_HEADERS,
        ..spec(20)
    };
    let hole = || Impairment::MtuBlackHole { mtu: 1_280 };
    let (fits, not) = (sized(1_280), sized(1_281));
    let arrived = |report: ProbeReport| report.there.map(|there| there.distinct());
    assert_eq!(arrived(under(world, hole(), &fits).await?), Some(20));
    assert_eq!(arrived(under(world, hole(), &not).await?), Some(0));
    Ok(())
}

async fn flapping(world: &dyn World) -> Outcome {
    let flap = Impairment::Flap {
        period: Span::from_millis(100),
        down: Span::from_millis(40),
    };
    let report = under(world, flap, &spec(600)).await?;
    let there = report.there.ok_or("nobody counted")?;
    let dark = there.darknesses();
    assert!((6..=7).contains(&dark.len()), "{dark:?}");
    // The first begins before the first probe, and the last may be cut short.
    let whole = &dark[1..5];
    let fits = |d: &Darkness| d.least_us <= 46_000 && d.most_us >= 34_000;
    assert!(whole.iter().all(fits), "{dark:?}");
    // A sender that was late knows less, but not every time.
    let known = |d: &Darkness| d.least_us >= 34_000 && d.most_us <= 46_000;
    assert!(whole.iter().any(known), "{dark:?}");
    Ok(())
}

/// A delay one way shows that way alone, by one clock.
async fn one_way(world: &dyn World) -> Outcome {
    let delay = Impairment::delay(Span::from_millis(30), Span::default());
    let report = under(world, delay, &spec(50)).await?;
    let there = report.there.ok_or("nobody counted")?;
    let (there, back) = (there.way_us(0.5), report.back.way_us(0.5));
    let (there, back) = (there.unwrap_or(0), back.unwrap_or(u64::MAX));
    assert!((30_000..45_000).contains(&there), "{there} us");
    assert!(back < 15_000, "{back} us");
    Ok(())
}

/// A cut one way leaves the other: who is behind it is heard, and not answered.
async fn cut_one_way(world: &dyn World) -> Outcome {
    let id = world.install(rule(Impairment::Drop))?;
    let there = world.probe(&spec(10)).await?;
    assert_eq!((there.arrived, there.answered), (Some(0), 0));
    let back = ProbeSpec {
        from: "two".into(),
        to: "one".into(),
        ..spec(10)
    };
    let heard = world.probe(&back).await?;
    assert_eq!((heard.arrived, heard.answered), (Some(10), 0));
    world.remove(id);
    assert_eq!(world.probe(&back).await?.answered, 10);
    Ok(())
}

async fn one_port(world: &dyn World) -> Outcome {
    let id = world.install(LinkRule {
        port: Some(8_123),
        ..rule(Impairment::Drop)
    })?;
    let arrived = |report: ProbeReport| report.there.map(|there| there.distinct());
    let other = world.probe(&spec(10)).await?;
    assert_eq!(arrived(other), Some(10));
    let met = ProbeSpec {
        port: Some(8_123),
        ..spec(10)
    };
    assert_eq!(arrived(world.probe(&met).await?), Some(0));
    let counters = world.rule_counters(id).ok_or("a rule without counters")?;
    assert_eq!(
        (counters.matched, counters.acted),
        (0, 0),
        "probes do not count"
    );
    world.remove(id);
    assert!(world.rule_counters(id).is_some(), "asked for afterwards");
    assert!(world.rule_counters(RuleId(u64::MAX)).is_none());
    Ok(())
}

async fn resets(world: &dyn World) -> Outcome {
    let spec = |port| ConnectionSpec {
        from: "one".into(),
        to: "two".into(),
        port,
    };
    let plain = world.connect(&spec(None)).await?;
    let on_port = world.connect(&spec(Some(8_124))).await?;
    let wait = |ms| tokio::time::sleep(std::time::Duration::from_millis(ms));
    wait(200).await;
    for number in [plain, on_port] {
        let report = world.connection(number).await?;
        assert_eq!((report.near, report.far), (End::Open, Some(End::Open)));
        assert!(report.exchanges >= 2, "{report:?}");
    }
    let id = world.install(LinkRule {
        port: Some(8_124),
        ..rule(Impairment::Reset {
            probability: PerUnit(1.0),
        })
    })?;
    wait(300).await;
    let spared = world.connection(plain).await?;
    assert_eq!((spared.near, spared.far), (End::Open, Some(End::Open)));
    let hit = world.connection(on_port).await?;
    assert_eq!((hit.near, hit.far), (End::Reset, Some(End::Reset)));
    world.remove(id);
    let again = world.connect(&spec(Some(8_125))).await?;
    wait(100).await;
    assert_eq!(world.connection(again).await?.near, End::Open);
    for number in [plain, on_port, again] {
        world.disconnect(number).await;
        assert!(world.connection(number).await.is_err());
    }
    Ok(())
}

/// Wrong answers to names, on one node and for one name.
pub(crate) async fn names(world: &dyn World) -> Outcome {
    let right = found(world, "two").await?;
    let third = found(world, "three").await?;
    let wrong = |answer| NameRule {
        nodes: vec!["one".into()],
        names: vec!["two".into()],
        answer,
    };
    for (answer, seen) in [
        (NameAnswer::Nxdomain, Err(LookupError::NoSuchName)),
        (NameAnswer::Servfail, Err(LookupError::TryAgain)),
        (NameAnswer::Silence, Err(LookupError::TryAgain)),
        (NameAnswer::AddressOf("three".into()), third),
    ] {
        let silent = answer == NameAnswer::Silence;
        let number = world.mislead(wrong(answer.clone())).await?;
        let lookup = world.lookup("one", "two").await?;
        assert_eq!(lookup.found, seen, "{answer:?}");
        let waited = lookup.took >= Span::from_millis(1_900);
        assert_eq!(waited, silent, "{answer:?} took {}", lookup.took);
        assert_eq!(
            found(world, "three").await?,
            third,
            "{answer:?}: another name"
        );
        let elsewhere = world.lookup("three", "two").await?.found;
        assert_eq!(elsewhere, right, "{answer:?}: another node");
        world.lead(number).await;
        assert_eq!(found(world, "two").await?, right, "{answer:?} is over");
    }
    assert_eq!(found(world, "nobody").await?, Err(LookupError::NoSuchName));
    Ok(())
}

async fn found(world: &dyn World, name: &str) -> Result<Result<Ipv4Addr, LookupError>, Failed> {
    Ok(world.lookup("one", name).await?.found)
}
