//! What nodes cost as containers, against the same containers by hand.

use std::process::Stdio;
use std::sync::Arc;

use futures_util::future::try_join_all;
use indexmap::IndexMap;
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::world::embedded::EmbeddedConfig;
use ridethrough_targets::world::{NodeSpec, World, docker};
use tokio::process::Command;

use crate::linux::{ROUNDS, Result, Times, ip, name, node};

/// The nodes of the reference stack: a gateway and three replicas.
const STACK: u8 = 4;
/// Containers that are cut together.
const VICTIMS: u8 = 10;
/// The argument that makes this program wait.
pub(crate) const WAIT: &str = "bench-wait";

/// Prints its table, or why there is none.
pub(crate) async fn measure() -> Result<()> {
    if let Err(error) = docker::available() {
        println!("\ndocker world: skipped: {error}");
        return Ok(());
    }
    println!(
        "\n{:<52} {:>10} {:>10} {:>8}",
        "docker world", "median", "worst", "bar"
    );
    stacks().await?;
    cuts().await
}

/// A world with so many nodes, none of them up; and how long it took to open.
async fn open(count: u8, folder: &tempfile::TempDir) -> Result<(Arc<dyn World>, Micros)> {
    let clock = Clock::start();
    let hosts: IndexMap<_, _> = (1..=count).map(|h| (name(h), ip(h))).collect();
    let config = EmbeddedConfig {
        exe: std::env::current_exe()?,
        run_dir: folder.path().to_path_buf(),
        clock,
        seed: 1,
        hosts,
        undo: None,
        pcap: false,
    };
    let world = docker::open(config).await?;
    Ok((world, clock.now_us()))
}

async fn boot(world: &dyn World, count: u8) -> Result<Micros> {
    let begun = world.clock().now_us();
    let specs: Vec<NodeSpec> = (1..=count).map(|host| node(host, "listen")).collect();
    try_join_all(specs.iter().map(|spec| world.boot(spec, 0))).await?;
    Ok(world.clock().now_us() - begun)
}

async fn stacks() -> Result<()> {
    let (mut opened, mut up, mut closed) = (Times::default(), Times::default(), Times::default());
    let (mut by_hand, mut ratios) = (Times::default(), Vec::new());
    let folder = tempfile::tempdir()?;
    // Makes the image, once.
    open(1, &folder).await?.0.close().await?;
    let image = image().await?;
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let (world, open_us) = open(STACK, &folder).await?;
        let up_us = boot(&*world, STACK).await?;
        let begun = world.clock().now_us();
        world.close().await?;
        closed.0.push(world.clock().now_us() - begun);
        let hand_us = run_by_hand(&image).await?;
        ratios.push(up_us as f64 / hand_us as f64);
        opened.0.push(open_us);
        up.0.push(up_us);
        by_hand.0.push(hand_us);
    }
    opened.row("a world opened, its image there", None);
    up.row("four nodes up: their processes run", None);
    by_hand.row("  the same containers by `docker run -d`", None);
    ratios.sort_by(f64::total_cmp);
    let (median, worst) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    let held = if median <= 1.2 { "ok" } else { "over" };
    println!(
        "{:<52} {median:>10.2} {worst:>10.2} {:>8} {held}",
        "  ratio", 1.2
    );
    closed.row("four nodes closed, nothing left", None);
    Ok(())
}

/// The image of this program.
async fn image() -> Result<String> {
    let filter = "label=ridethrough=image";
    let images = command(&["images", "-q", "--filter", filter]).await?;
    // The newest is told first.
    let first = images.lines().next().ok_or("no image of this program")?;
    Ok(first.to_string())
}

async fn command(args: &[&str]) -> Result<String> {
    let mut docker = Command::new("docker");
    let output = docker.args(args).stderr(Stdio::inherit()).output().await?;
    if !output.status.success() {
        return Err(format!("docker {args:?}: {}", output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// As many containers side by side as the stack has; how long until all run.
async fn run_by_hand(image: &str) -> Result<Micros> {
    let clock = Clock::start();
    let run = ["run", "-d", "--network", "none", image, WAIT];
    let ids = try_join_all((0..STACK).map(|_| command(&run))).await?;
    let took = clock.now_us();
    let mut remove = vec!["rm", "-f"];
    remove.extend(ids.iter().map(String::as_str));
    command(&remove).await?;
    Ok(took)
}

async fn cuts() -> Result<()> {
    let (mut spread, mut dead) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let (world, _) = open(VICTIMS, &folder).await?;
        boot(&*world, VICTIMS).await?;
        let names: Vec<String> = (1..=VICTIMS).map(name).collect();
        let receipts = world.cut(&names).await?;
        let first = receipts.iter().map(|cut| cut.dead_us).min();
        let last = receipts.iter().map(|cut| cut.dead_us).max();
        let dark = receipts.iter().map(|cut| cut.dark_us).min();
        spread
            .0
            .extend(last.zip(first).map(|(last, first)| last - first));
        dead.0
            .extend(last.zip(dark).map(|(last, dark)| last - dark));
        world.close().await?;
    }
    spread.row("ten containers cut: first dead to last dead", Some(5.0));
    dead.row("  first port dark to last process dead", None);
    Ok(())
}
