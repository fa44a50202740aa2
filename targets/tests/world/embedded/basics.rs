//! Boot, cut, hang, kill, close.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::service::{FromService, Program, ToService};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{
    NodeState, PROBE_PAYLOAD_MIN, ProbeReport, ProbeSpec, World, WorldError, WorldEvent,
};
use tokio::time::timeout;

use super::site::{Site, builtin, node, shell, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("embedded::boot_cut_close", boot_cut_close),
        trial("embedded::refusals", refusals),
        trial("embedded::words_and_exits", words_and_exits),
        trial("embedded::hang_and_kill", hang_and_kill),
    ]
}

const NAMES: [&str; 5] = ["one", "two", "three", "four", "five"];

async fn ping(site: &Site, from: &str, to: &str) -> Result<ProbeReport, Failed> {
    let spec = ProbeSpec {
        from: from.into(),
        to: to.into(),
        count: 5,
        interval: Span::from_millis(5),
        wait: Span::from_millis(300),
        payload: PROBE_PAYLOAD_MIN,
        port: None,
    };
    Ok(site.world.probe(&spec).await?)
}

async fn boot_cut_close() -> Result<(), Failed> {
    let site = Site::open(&NAMES).await?;
    let clock = site.world.clock();
    for _ in 0..3 {
        let begun = clock.now_us();
        site.world
            .boot(&node(&NAMES, "one", vec![("idle", builtin("idle"))]), 0)
            .await?;
        eprintln!("one node up in {} us", clock.now_us() - begun);
        let receipts = site.world.cut(&["one".to_string()]).await?;
        eprintln!("{receipts:?}");
        assert_eq!(site.world.state("one").await?, NodeState::Down);
    }
    let begun = clock.now_us();
    let specs = NAMES.map(|name| node(&NAMES, name, vec![("idle", builtin("idle"))]));
    let boots = specs.iter().map(|spec| site.world.boot(spec, 1));
    futures_util::future::try_join_all(boots).await?;
    eprintln!("five nodes up in {} us", clock.now_us() - begun);

    let report = ping(&site, "one", "five").await?;
    eprintln!("{report:?}");
    assert_eq!(
        (report.sent, report.answered, report.arrived),
        (5, 5, Some(5))
    );

    let victims: Vec<String> = vec!["four".into(), "five".into()];
    let receipts = site.world.cut(&victims).await?;
    eprintln!("{receipts:?}");
    assert_eq!(receipts.len(), 2);
    assert!(receipts.iter().all(|cut| cut.dark_us <= cut.dead_us));
    let report = ping(&site, "one", "five").await?;
    assert_eq!((report.answered, report.arrived), (0, None));

    let begun = clock.now_us();
    site.world.close().await?;
    eprintln!("closed in {} us", clock.now_us() - begun);
    Ok(())
}

async fn refusals() -> Result<(), Failed> {
    let site = Site::open(&NAMES).await?;
    let world = &site.world;
    let absent = Program::Command {
        argv: vec!["/no/such/program".into()],
        env: Vec::new(),
        files: Vec::new(),
    };
    let spec = node(&NAMES, "one", vec![("absent", absent)]);
    let Err(error) = world.boot(&spec, 0).await else {
        return Err("a program that does not exist was started".into());
    };
    assert!(
        error.to_string().contains("start service `absent`"),
        "{error}"
    );
    assert_eq!(world.state("one").await?, NodeState::Down);
    // The failed boot leaves room for one that works.
    world.boot(&node(&NAMES, "one", Vec::new()), 0).await?;
    assert_eq!(world.state("one").await?, NodeState::Empty);
    assert!(matches!(
        world.state("nobody").await,
        Err(WorldError::NoNode(_))
    ));
    assert!(world.hang("two").await.is_err());
    world.close().await?;
    Ok(())
}

async fn words_and_exits() -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    let programs = vec![
        ("idle", builtin("idle")),
        ("failing", builtin("failing")),
        ("script", shell("echo so long; exit 3")),
    ];
    site.world.boot(&node(&NAMES, "one", programs), 0).await?;
    site.world.say(
        "one",
        "idle",
        ToService::Clocks {
            ratio: 0.5,
            reasons: Default::default(),
        },
    );
    let mut wanted = vec![
        "idle ready",
        "idle heard Clocks { ratio: 0.5, reasons: ClockReasons(0) }",
        "failing failed bad configuration: told to fail: null",
        "failing exit code 1",
        "script exit code 3",
    ];
    while !wanted.is_empty() {
        let event = timeout(Duration::from_secs(10), site.events.recv()).await;
        let Ok(Some(event)) = event else {
            return Err(format!("never came: {wanted:?}; log: {}", site.log("one")).into());
        };
        let text = match event {
            WorldEvent::Said { service, word, .. } => match word {
                FromService::Ready { .. } => format!("{service} ready"),
                FromService::Ledger(row) => {
                    format!("{service} heard {}", row.as_str().unwrap_or_default())
                }
                FromService::Failed { error } => format!("{service} failed {error}"),
                other => format!("{service} {other:?}"),
            },
            WorldEvent::Exited {
                service, how, tail, ..
            } => {
                assert!(service != "script" || tail.contains("so long"), "{tail}");
                format!("{service} {how}")
            }
            WorldEvent::Halted { reason } => reason,
        };
        let Some(at) = wanted.iter().position(|line| *line == text) else {
            return Err(format!("unexpected: {text}").into());
        };
        wanted.remove(at);
    }
    site.world.close().await?;
    Ok(())
}

async fn hang_and_kill() -> Result<(), Failed> {
    let site = Site::open(&NAMES).await?;
    let world = &site.world;
    for name in ["one", "two"] {
        let programs = vec![
            ("idle", builtin("idle")),
            ("tree", shell("sleep 100 & sleep 100")),
        ];
        world.boot(&node(&NAMES, name, programs), 0).await?;
    }
    assert_eq!(world.state("two").await?, NodeState::Running);
    world.hang("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Stopped);
    assert_eq!(ping(&site, "one", "two").await?.answered, 5);
    world.resume("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Running);
    // Power goes from a node that hangs as from any other.
    world.hang("one").await?;
    world.cut(&["one".to_string()]).await?;
    assert_eq!(world.state("one").await?, NodeState::Down);
    let one = node(&NAMES, "one", vec![("idle", builtin("idle"))]);
    world.boot(&one, 1).await?;
    assert!(world.boot(&one, 2).await.is_err());
    world.kill("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Empty);
    assert_eq!(ping(&site, "one", "two").await?.answered, 5);
    world.close().await?;
    Ok(())
}
