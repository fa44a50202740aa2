//! Names, clocks and boot ids of nodes.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::service::FromService;
use ridethrough_targets::world::{World, WorldEvent};
use tokio::time::timeout;

use super::site::{Site, builtin, node, shell, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("embedded::identity", identity)]
}

const NAMES: [&str; 2] = ["gpu-1", "gpu-2"];

/// Prints what a node believes itself to be, one fact a line.
const FACTS: &str = "hostname; cut -d' ' -f1 /proc/uptime; \
    cat /proc/sys/kernel/random/boot_id; \
    getent hosts gpu-2 | tr -s ' '; getent hosts example.com || echo nobody; \
    ls -d /proc/[0-9]* | wc -l; \
    cat /sys/class/net/lo/operstate >/dev/null; cut -d: -f1 /proc/net/dev | tail -n +3 | xargs";

struct Facts {
    uptime_s: f64,
    boot_id: String,
}

async fn identity() -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    if !site.world.notes().is_empty() {
        return Err(format!("left out here: {:?}", site.world.notes()).into());
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let first = boot(&mut site, 0).await?;
    site.world.cut(&["gpu-1".to_string()]).await?;
    let second = boot(&mut site, 1).await?;
    for facts in [&first, &second] {
        assert!(facts.uptime_s < 10.0, "uptime {} s", facts.uptime_s);
        assert_ne!(facts.boot_id, host.trim());
    }
    assert_ne!(first.boot_id, second.boot_id);
    site.world.close().await?;
    Ok(())
}

async fn boot(site: &mut Site, boot: u32) -> Result<Facts, Failed> {
    let log = site.folder.path().join("logs/gpu-1.log");
    let _ = std::fs::remove_file(&log);
    let programs = vec![("idle", builtin("idle")), ("facts", shell(FACTS))];
    let clock = site.world.clock();
    let before_us = clock.now_us();
    site.world
        .boot(&node(&NAMES, "gpu-1", programs), boot)
        .await?;
    let (mut ready, mut printed) = (false, false);
    while !(ready && printed) {
        let event = timeout(Duration::from_secs(20), site.events.recv()).await?;
        match event.ok_or("the world is gone")? {
            WorldEvent::Said {
                word: FromService::Ready { t_us },
                ..
            } => {
                // The run's clock goes on across clocks that restart.
                let now_us = clock.now_us();
                assert!((before_us..=now_us + 2_000).contains(&t_us), "{t_us}");
                ready = true;
            }
            WorldEvent::Exited { how, .. } => {
                assert_eq!(how, "exit code 0", "{}", site.log("gpu-1"));
                printed = true;
            }
            WorldEvent::Said { .. } => {}
            WorldEvent::Halted { reason } => return Err(reason.into()),
        }
    }
    facts(&site.log("gpu-1"))
}

fn facts(log: &str) -> Result<Facts, Failed> {
    let lines: Vec<&str> = log.lines().map(str::trim).collect();
    let [
        hostname,
        uptime,
        boot_id,
        peer,
        stranger,
        processes,
        devices,
    ] = lines[..]
    else {
        return Err(format!("unexpected facts: {log}").into());
    };
    assert_eq!(hostname, "gpu-1");
    assert_eq!(peer, "10.77.0.2 gpu-2");
    assert_eq!(stranger, "nobody");
    // Its init, the built-in service, the shell and its pipe; not the host's.
    assert!(processes.parse::<u32>()? <= 6, "{processes} processes");
    let mut devices: Vec<&str> = devices.split_whitespace().collect();
    devices.sort_unstable();
    assert_eq!(devices, ["eth0", "lo"]);
    Ok(Facts {
        uptime_s: uptime.parse()?,
        boot_id: boot_id.to_string(),
    })
}
