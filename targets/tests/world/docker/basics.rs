//! Boot, cut, hang, kill, volumes, rules and clocks, in containers.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::service::{FromService, Program};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{
    Backing, Inquiry, NodeState, PROBE_PAYLOAD_MIN, ProbeReport, ProbeSpec, Shortage, Supply,
    World, WorldEvent,
};
use tokio::time::timeout;

use super::site::{Site, trial};
use crate::site::{builtin, node, shell};
use crate::volumes;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("docker::boot_cut_close", boot_cut_close),
        trial("docker::hang_and_kill", hang_and_kill),
        trial("docker::refusals", refusals),
        trial("docker::exits", exits),
        trial("docker::clocks", clocks),
        trial("docker::memory", memory),
        trial("docker::impairments", impairments),
        trial("docker::volumes::a_cut", || async {
            let mut site = Site::open(&volumes::NAMES).await?;
            volumes::cut(&*site.world, &mut site.events, Backing::Auto).await?;
            site.close().await
        }),
        trial("docker::volumes::a_sigkill", || async {
            let mut site = Site::open(&volumes::NAMES).await?;
            volumes::kill(&*site.world, &mut site.events, Backing::Auto).await?;
            site.close().await
        }),
        trial("docker::volumes::faults", || async {
            let mut site = Site::open(&volumes::NAMES).await?;
            volumes::faults(&*site.world, &mut site.events, Backing::Auto).await?;
            site.close().await
        }),
    ]
}

const NAMES: [&str; 3] = ["one", "two", "three"];

fn idle(name: &str) -> ridethrough_targets::world::NodeSpec {
    node(&NAMES, name, vec![("idle", builtin("idle"))])
}

async fn all_up() -> Result<Site, Failed> {
    let site = Site::open(&NAMES).await?;
    let specs = NAMES.map(idle);
    let boots = specs.iter().map(|spec| site.world.boot(spec, 0));
    futures_util::future::try_join_all(boots).await?;
    Ok(site)
}

async fn ping(world: &dyn World, from: &str, to: &str) -> Result<ProbeReport, Failed> {
    let spec = ProbeSpec {
        from: from.into(),
        to: to.into(),
        count: 5,
        interval: Span::from_millis(5),
        wait: Span::from_millis(300),
        payload: PROBE_PAYLOAD_MIN,
        port: None,
    };
    Ok(world.probe(&spec).await?)
}

async fn boot_cut_close() -> Result<(), Failed> {
    let site = all_up().await?;
    let world = &*site.world;
    let report = ping(world, "one", "three").await?;
    assert_eq!((report.answered, report.arrived), (5, Some(5)));
    let victims = ["two".to_string(), "three".to_string()];
    let receipts = world.cut(&victims).await?;
    eprintln!("{receipts:?}");
    assert!(receipts.iter().all(|cut| cut.dark_us <= cut.dead_us));
    let report = ping(world, "one", "three").await?;
    assert_eq!((report.answered, report.arrived), (0, None));
    assert_eq!(world.state("two").await?, NodeState::Down);
    // A name is free again as soon as its node is down.
    world.boot(&idle("three"), 1).await?;
    assert_eq!(ping(world, "one", "three").await?.answered, 5);
    site.close().await
}

async fn hang_and_kill() -> Result<(), Failed> {
    let site = all_up().await?;
    let world = &*site.world;
    world.hang("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Stopped);
    assert_eq!(ping(world, "one", "two").await?.answered, 5);
    world.resume("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Running);
    // Power goes from a node that hangs as from any other.
    world.hang("one").await?;
    world.cut(&["one".to_string()]).await?;
    assert_eq!(world.state("one").await?, NodeState::Down);
    world.kill("two").await?;
    assert_eq!(world.state("two").await?, NodeState::Empty);
    assert_eq!(ping(world, "three", "two").await?.answered, 5);
    world.restart(&idle("two"), 0).await?;
    assert_eq!(world.state("two").await?, NodeState::Running);
    site.close().await
}

async fn refusals() -> Result<(), Failed> {
    let site = Site::open(&NAMES).await?;
    let world = &*site.world;
    let refused = |program: Program, wanted: &'static str| async move {
        let spec = node(&NAMES, "one", vec![("it", program)]);
        match world.boot(&spec, 0).await {
            Ok(()) => Err(Failed::from("it was started")),
            Err(error) if error.to_string().contains(wanted) => Ok(()),
            Err(error) => Err(error.to_string().into()),
        }
    };
    let image = Program::Image {
        image: "ridethrough-test-no-such-image".into(),
        build: None,
        argv: None,
        env: Vec::new(),
        files: Vec::new(),
    };
    refused(shell("true"), "is a program of this machine").await?;
    refused(image, "No such image").await?;
    assert_eq!(world.state("one").await?, NodeState::Down);
    // The failed boots leave room for one that works.
    world.boot(&idle("one"), 0).await?;
    assert!(world.boot(&idle("one"), 1).await.is_err());
    site.close().await
}

async fn exits() -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    let programs = vec![("idle", builtin("idle")), ("failing", builtin("failing"))];
    site.world.boot(&node(&NAMES, "one", programs), 0).await?;
    let (mut ready, mut failed, mut ended) = (false, false, false);
    while !(ready && failed && ended) {
        let event = timeout(Duration::from_secs(10), site.events.recv()).await?;
        match event.ok_or("the world is gone")? {
            WorldEvent::Said { word, .. } => match word {
                FromService::Ready { .. } => ready = true,
                FromService::Failed { error } => failed = error.contains("told to fail"),
                _ => {}
            },
            WorldEvent::Exited { service, how, .. } => {
                assert_eq!((&*service, &*how), ("failing", "exit code 1"));
                ended = true;
            }
            WorldEvent::Halted { reason } => return Err(reason.into()),
        }
    }
    site.close().await
}

/// A clock of its own, which can jump.
async fn clocks() -> Result<(), Failed> {
    let site = all_up().await?;
    let world = &*site.world;
    let ahead = async || match world.inquire("one", Inquiry::Clock).await? {
        Supply::Clock(us) => Ok::<i64, Failed>(us),
        other => Err(format!("{other:?}").into()),
    };
    let before = ahead().await?;
    let hour = Span::from_secs(3600);
    world.jump_clock(&idle("one"), 0, hour).await?;
    let jumped = ahead().await? - before;
    let off = jumped - 3_600_000_000;
    assert!(off.abs() < 1_000_000, "{before} us, then {jumped} us");
    site.close().await
}

async fn memory() -> Result<(), Failed> {
    const MIB: u64 = 1024 * 1024;
    let site = all_up().await?;
    let world = &*site.world;
    let leave_bytes = 32 * MIB;
    let can_have = async |mib: u64| {
        let bytes = mib * MIB;
        match world.inquire("one", Inquiry::Memory { bytes }).await? {
            Supply::Memory(fine) => Ok::<bool, Failed>(fine),
            other => Err(format!("{other:?}").into()),
        }
    };
    assert!(can_have(64).await?, "before");
    let shortage = Shortage::Memory { leave_bytes };
    world.deprive("one", &shortage).await?;
    assert!(!can_have(64).await?, "while it is short");
    world.supply("one", &shortage).await?;
    assert!(can_have(64).await?, "afterwards");
    site.close().await
}

async fn impairments() -> Result<(), Failed> {
    let site = all_up().await?;
    for (from, to) in [("one", "two"), ("two", "three"), ("three", "one")] {
        assert_eq!(ping(&*site.world, from, to).await?.answered, 5);
    }
    crate::impairments::all(&*site.world).await?;
    crate::impairments::names(&*site.world).await?;
    site.close().await
}
