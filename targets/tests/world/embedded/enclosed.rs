//! What a program of the host sees of it, as root and as nobody.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::service::{Program, ServiceFile};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::World;
use ridethrough_targets::world::embedded::EmbeddedWorld;

use super::site::{Site, node, trial};

const NAMES: [&str; 2] = ["one", "two"];

/// How long a look may take.
const LIMIT: Span = Span::from_secs(5);

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("embedded::enclosed::programs", || async {
        let site = Site::open(&NAMES).await?;
        let spec = node(&NAMES, "one", vec![("enclosed", program())]);
        site.world.boot(&spec, 0).await?;
        looked_at(&site.world, "one").await?;
        let log = site.log("one");
        assert!(log.contains("asked for [it]"), "{log}");
        // Nothing that it wrote reached this machine.
        assert!(!std::path::Path::new("/tmp/ridethrough-mark").exists());
        Ok::<(), Failed>(site.world.close().await?)
    })]
}

/// Writes wherever a program may, and has files of its own.
pub(crate) fn program() -> Program {
    let script = "set -e
        [ $(pwd) = /tmp ]
        for folder in /tmp /run /var/log /var/tmp /var/cache /dev/shm; do
          echo mark > $folder/ridethrough-mark
        done
        /srv/made/up/ask < /etc/made-up.conf
        exec sleep 1000";
    let file = |path: &str, text: &str| ServiceFile {
        path: path.into(),
        text: text.into(),
    };
    Program::Command {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        env: Vec::new(),
        files: vec![
            file("/etc/made-up.conf", "it"),
            file(
                "/srv/made/up/ask",
                "#!/bin/sh\nread it || echo \"asked for [$it]\"\n",
            ),
        ],
    }
}

/// Looks at it from beside: what it wrote is there, what is the host's cannot be
/// changed.
pub(crate) async fn looked_at(world: &EmbeddedWorld, node: &str) -> Result<(), Failed> {
    let look = |script: &str| {
        let argv = ["/bin/sh", "-c", script].map(String::from).to_vec();
        async move { world.check(node, "enclosed", &argv, LIMIT).await }
    };
    let mut there = false;
    for _ in 0..500 {
        there = look("test -e /dev/shm/ridethrough-mark && test -e /etc/made-up.conf").await?;
        if there {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(there, "the program has not written everywhere");
    for not in [
        "echo x > /usr/bin/ridethrough-mark",
        "echo x >> /etc/passwd",
        "echo x >> /etc/hosts",
        "test -e /tmp/no-such-mark",
    ] {
        assert!(!look(not).await?, "it could: {not}");
    }
    for can in [
        "getent hosts two",
        "test -s /etc/passwd",
        "test -e /proc/1/stat",
    ] {
        assert!(look(can).await?, "it could not: {can}");
    }
    Ok(())
}
