//! What only the virtual world must be asked.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::service::FromService;
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::r#virtual::EventBounds;
use ridethrough_targets::world::{
    Direction, Impairment, LinkRule, NodeState, PROBE_PAYLOAD_MIN, ProbeReport, ProbeSpec, World,
    WorldError, WorldEvent,
};
use tokio::time::Instant;

use crate::site::{builtin, node, shell};
use crate::virtual_site::{VirtualSite, virtual_trial};

const NAMES: [&str; 2] = ["one", "two"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        virtual_trial("virtual::words_and_exits", words_and_exits),
        virtual_trial("virtual::hang_kill_and_cut", hang_kill_and_cut),
        virtual_trial("virtual::a_program_of_the_host_is_refused", refused),
        virtual_trial("virtual::rules_act_on_probes", rules),
        virtual_trial("virtual::loss_is_what_was_asked", loss),
        virtual_trial("virtual::impairments", impairments),
        virtual_trial("virtual::names", names),
        virtual_trial("virtual::a_bystander_changes_no_draw", bystander),
        virtual_trial("virtual::a_run_that_never_ends_is_stopped", runaway),
        virtual_trial("virtual::time_jumps_where_nothing_happens", idle),
    ]
}

async fn both_up(site: &VirtualSite) -> Result<(), Failed> {
    for name in NAMES {
        let spec = node(&NAMES, name, vec![("idle", builtin("idle"))]);
        site.world.boot(&spec, 0).await?;
    }
    Ok(())
}

async fn ping(site: &VirtualSite, count: u32) -> Result<ProbeReport, WorldError> {
    let spec = ProbeSpec {
        from: "one".into(),
        to: "two".into(),
        count,
        interval: Span::from_millis(1),
        wait: Span::from_millis(500),
        payload: PROBE_PAYLOAD_MIN,
        port: None,
    };
    site.world.probe(&spec).await
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

async fn impairments() -> Result<(), Failed> {
    let site = VirtualSite::open(&NAMES, [])?;
    both_up(&site).await?;
    crate::impairments::all(site.world.as_ref()).await
}

async fn names() -> Result<(), Failed> {
    let all = ["one", "two", "three"];
    let site = VirtualSite::open(&all, [])?;
    for name in all {
        site.world.boot(&node(&all, name, Vec::new()), 0).await?;
    }
    crate::impairments::names(site.world.as_ref()).await
}

async fn words_and_exits() -> Result<(), Failed> {
    let mut site = VirtualSite::open(&NAMES, [])?;
    let programs = vec![("idle", builtin("idle")), ("failing", builtin("failing"))];
    site.world.boot(&node(&NAMES, "one", programs), 0).await?;
    let mut wanted = vec![
        "idle ready",
        "failing failed bad configuration: told to fail: null",
        "failing exit code 1",
    ];
    while !wanted.is_empty() {
        let text = match site.events.recv().await.ok_or("the world is gone")? {
            WorldEvent::Said { service, word, .. } => match word {
                FromService::Ready { .. } => format!("{service} ready"),
                FromService::Failed { error } => format!("{service} failed {error}"),
                other => format!("{service} {other:?}"),
            },
            WorldEvent::Exited {
                service, how, tail, ..
            } => {
                assert!(tail.contains("told to fail"), "{tail}");
                format!("{service} {how}")
            }
            WorldEvent::Halted { reason } => reason,
        };
        let at = wanted.iter().position(|line| *line == text);
        wanted.remove(at.ok_or(format!("unexpected: {text}"))?);
    }
    assert!(
        site.log("one").contains("service failed"),
        "{}",
        site.log("one")
    );
    site.world.close().await?;
    Ok(())
}

async fn hang_kill_and_cut() -> Result<(), Failed> {
    let site = VirtualSite::open(&NAMES, [])?;
    let world = &site.world;
    assert_eq!(world.state("one").await?, NodeState::Down);
    assert!(world.hang("one").await.is_err());
    both_up(&site).await?;
    world.hang("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Stopped);
    assert_eq!(ping(&site, 5).await?.answered, 5);
    world.resume("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Running);
    world.kill("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Empty);
    assert_eq!(ping(&site, 5).await?.answered, 5);
    let receipts = world.cut(&["two".to_string()]).await?;
    assert!(receipts[0].at_cut.frames_out >= 10, "{receipts:?}");
    assert_eq!(world.state("two").await?, NodeState::Down);
    let report = ping(&site, 5).await?;
    assert_eq!((report.answered, report.arrived), (0, None));
    assert_eq!(world.counters("two")?.leaked, 0);
    let spec = node(&NAMES, "two", vec![("idle", builtin("idle"))]);
    world.boot(&spec, 1).await?;
    assert!(world.boot(&spec, 2).await.is_err());
    assert_eq!(ping(&site, 5).await?.answered, 5);
    world.close().await?;
    Ok(())
}

async fn refused() -> Result<(), Failed> {
    let site = VirtualSite::open(&NAMES, [])?;
    let programs = vec![("idle", builtin("idle")), ("script", shell("exit 0"))];
    let spec = node(&NAMES, "one", programs);
    let Err(error) = site.world.boot(&spec, 0).await else {
        return Err("a program of the host was started".into());
    };
    let text = error.to_string();
    assert!(
        text.contains("script") && text.contains("--world embedded"),
        "{text}"
    );
    assert_eq!(site.world.state("one").await?, NodeState::Down);
    assert!(matches!(
        site.world.state("nobody").await,
        Err(WorldError::NoNode(_))
    ));
    Ok(())
}

async fn rules() -> Result<(), Failed> {
    let site = VirtualSite::open(&NAMES, [])?;
    let world = &site.world;
    both_up(&site).await?;
    let delay = Impairment::delay(Span::from_micros(10_400), Span::from_millis(0));
    let slow = world.install(rule(Direction::Both, delay))?;
    // To the microsecond, although timers tick in milliseconds.
    assert_eq!(ping(&site, 9).await?.rtt_median_us(), Some(20_800));
    world.remove(slow);
    assert_eq!(ping(&site, 9).await?.rtt_median_us(), Some(0));
    let one_way = world.install(rule(Direction::AToB, Impairment::Drop))?;
    let report = ping(&site, 9).await?;
    assert_eq!((report.answered, report.arrived), (0, Some(0)));
    world.remove(one_way);
    let mut back = rule(Direction::AToB, Impairment::Drop);
    std::mem::swap(&mut back.a, &mut back.b);
    let back = world.install(back)?;
    assert_eq!(ping(&site, 9).await?.answered, 0);
    world.remove(back);
    assert_eq!(ping(&site, 9).await?.answered, 9);
    world.close().await?;
    Ok(())
}

/// Another node on the fabric does not change what becomes of others' packets.
async fn bystander() -> Result<(), Failed> {
    let mut answered = Vec::new();
    for names in [&NAMES[..], &["zero", "one", "between", "two"]] {
        let site = VirtualSite::open(names, [])?;
        for name in NAMES {
            let spec = node(names, name, vec![("idle", builtin("idle"))]);
            site.world.boot(&spec, 0).await?;
        }
        let lossy = Impairment::Loss {
            probability: PerUnit(0.5),
        };
        site.world.install(rule(Direction::Both, lossy))?;
        answered.push(ping(&site, 4_000).await?.answered);
        site.world.close().await?;
    }
    assert_eq!(answered[0], answered[1]);
    Ok(())
}

async fn loss() -> Result<(), Failed> {
    let site = VirtualSite::open(&NAMES, [])?;
    both_up(&site).await?;
    let lossy = Impairment::Loss {
        probability: PerUnit(0.25),
    };
    site.world.install(rule(Direction::AToB, lossy))?;
    let report = ping(&site, 2_000).await?;
    // Three standard deviations of 2,000 draws are 0.03.
    assert!((report.lost() - 0.25).abs() < 0.03, "{}", report.lost());
    site.world.close().await?;
    Ok(())
}

async fn runaway() -> Result<(), Failed> {
    let bounds = EventBounds {
        total: 100_000_000,
        per_instant: 50_000,
    };
    let mut site = VirtualSite::bounded(&NAMES, [], bounds)?;
    let programs = vec![("idle", builtin("idle")), ("runaway", builtin("runaway"))];
    site.world.boot(&node(&NAMES, "one", programs), 0).await?;
    let reason = loop {
        if let WorldEvent::Halted { reason } = site.events.recv().await.ok_or("no event")? {
            break reason;
        }
    };
    assert!(reason.contains("one/runaway kept it alive"), "{reason}");
    // Time goes on.
    tokio::time::sleep(Duration::from_secs(1)).await;
    site.world.close().await?;
    Ok(())
}

async fn idle() -> Result<(), Failed> {
    let site = VirtualSite::open(&NAMES, [])?;
    both_up(&site).await?;
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(12 * 3600)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(12 * 3600));
    assert_eq!(ping(&site, 1).await?.answered, 1);
    site.world.close().await?;
    Ok(())
}
