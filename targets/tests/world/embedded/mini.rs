//! This binary as a harness of its own, to be killed or to run as nobody.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::Failed;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, fchmodat, makedev, mknod};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::embedded::{EmbeddedWorld, capabilities};
use ridethrough_targets::world::{Backing, NodeState, PROBE_PAYLOAD_MIN, ProbeSpec, World};

use super::enclosed;
use super::site::{builtin, config, node, shell, with_volume};

/// Boots, cuts and boots again until it is killed.
pub(crate) const CHURN: &str = "mini-churn";
/// Boots, and then waits to be killed.
pub(crate) const HOLD: &str = "mini-hold";
/// Tries everything once.
pub(crate) const ONCE: &str = "mini-once";
/// Says what the machine can do, and what opening a world comes to.
pub(crate) const DOCTOR: &str = "mini-doctor";
/// Becomes nobody, then goes on as the verb that follows.
pub(crate) const NOBODY: &str = "mini-nobody";
/// The same where only root may open the TAP device.
pub(crate) const NOBODY_SHUT: &str = "mini-nobody-shut";

const NOBODY_ID: u32 = 65534;
const NAMES: [&str; 3] = ["one", "two", "three"];

/// Verbs of this binary beside the tests: `VERB FOLDER`, `mini-nobody FOLDER VERB`.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [verb @ (CHURN | HOLD | ONCE), folder] => run(Path::new(folder), verb),
        [DOCTOR, folder] => doctor(Path::new(folder)),
        [NOBODY, folder, verb] => nobody(Path::new(folder), verb, 0o666),
        [NOBODY_SHUT, folder, verb] => nobody(Path::new(folder), verb, 0o600),
        _ => return None,
    };
    Some(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.message().unwrap_or("failed"));
            ExitCode::FAILURE
        }
    })
}

/// Drops root where only device nodes of its own let it make TAPs and FUSE mounts, so that
/// nothing of the machine itself is changed.
fn nobody(folder: &Path, verb: &str, device_mode: u32) -> Result<(), Failed> {
    let none: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), none)?;
    let mode = Mode::from_bits_truncate(device_mode);
    let follow = nix::sys::stat::FchmodatFlags::FollowSymlink;
    let here = nix::fcntl::AT_FDCWD;
    for (name, minor, over) in [("tun", 200, "/dev/net/tun"), ("fuse", 229, "/dev/fuse")] {
        if !Path::new(over).exists() {
            continue;
        }
        let device = folder.join(name);
        mknod(&device, SFlag::S_IFCHR, mode, makedev(10, minor))?;
        fchmodat(here, &device, mode, follow)?;
        mount(Some(&device), over, none, MsFlags::MS_BIND, none)?;
    }
    let run = folder.join("run");
    std::fs::create_dir(&run)?;
    fchmodat(here, &run, Mode::from_bits_truncate(0o777), follow)?;
    std::env::set_current_dir("/")?;
    setgroups(&[])?;
    setgid(Gid::from_raw(NOBODY_ID))?;
    setuid(Uid::from_raw(NOBODY_ID))?;
    // By this name the file need not be in a folder that nobody may enter.
    let error = Command::new("/proc/self/exe").arg(verb).arg(run).exec();
    Err(error.into())
}

fn doctor(folder: &Path) -> Result<(), Failed> {
    println!("{}", serde_json::to_string(&capabilities())?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let exe = PathBuf::from("/proc/self/exe");
        match EmbeddedWorld::open(config(exe, folder, &NAMES)).await {
            Ok(world) => Ok(world.close().await?),
            Err(error) => {
                println!("{error}");
                Ok(())
            }
        }
    })
}

fn run(folder: &Path, verb: &str) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let exe = PathBuf::from("/proc/self/exe");
        let world = EmbeddedWorld::open(config(exe, folder, &NAMES)).await?;
        if verb == ONCE {
            return once(&world).await;
        }
        loop {
            boot_all(&world).await?;
            println!("up");
            if verb == HOLD {
                std::future::pending::<()>().await;
            }
            world.cut(&NAMES.map(String::from)).await?;
        }
    })
}

async fn boot_all(world: &EmbeddedWorld) -> Result<(), Failed> {
    let specs = NAMES.map(|name| {
        let programs = vec![
            ("idle", builtin("idle")),
            ("tree", shell("sleep 1000 & setsid sleep 1000")),
            ("enclosed", enclosed::program()),
        ];
        let spec = node(&NAMES, name, programs);
        // One of them has a volume, where there can be one.
        if name == NAMES[0] && storage() {
            with_volume(spec, Backing::Auto)
        } else {
            spec
        }
    });
    futures_util::future::try_join_all(specs.iter().map(|spec| world.boot(spec, 0))).await?;
    Ok(())
}

/// Whether a volume can be had here.
fn storage() -> bool {
    let found = capabilities();
    let mut volumes = found
        .iter()
        .filter(|c| ["FUSE", "ext4 volumes"].contains(&c.name));
    volumes.any(|c| c.found)
}

async fn once(world: &EmbeddedWorld) -> Result<(), Failed> {
    println!("uid {}, notes {:?}", nix::unistd::getuid(), world.notes());
    let probe = ProbeSpec {
        from: "one".into(),
        to: "two".into(),
        count: 5,
        interval: Span::from_millis(2),
        wait: Span::from_millis(400),
        payload: PROBE_PAYLOAD_MIN,
        port: None,
    };
    for _ in 0..2 {
        boot_all(world).await?;
        assert_eq!(world.probe(&probe).await?.answered, 5);
        enclosed::looked_at(world, "one").await?;
        world.hang("two").await?;
        assert_eq!(world.state("two").await?, NodeState::Stopped);
        world.resume("two").await?;
        world.kill("three").await?;
        assert_eq!(world.state("three").await?, NodeState::Empty);
        world.cut(&NAMES.map(String::from)).await?;
        assert_eq!(world.state("one").await?, NodeState::Down);
    }
    world.close().await?;
    println!("done");
    Ok(())
}
