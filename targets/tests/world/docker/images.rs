//! Services that are images, built from nothing but a static program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::service::{ImageBuild, Program, ServiceFile};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::docker::fetch;
use ridethrough_targets::world::{NodeState, WorldEvent};
use tokio::time::{sleep, timeout};

use super::site::{Site, trial};
use crate::site::{builtin, node};

const NAMES: [&str; 2] = ["web", "client"];
const IMAGE: &str = "ridethrough-test/busybox";
const BUSYBOX: &str = "/bin/busybox";
const PATIENCE: Duration = Duration::from_secs(20);

const RECIPE: &str = "FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/busybox\n\
    CMD [\"/bin/busybox\", \"sleep\", \"1000\"]\n";

/// Says what it was given, and serves a file.
const SERVE: &str = "echo \"greeting $GREETING\"; exec busybox httpd -f -p 8000 -h /www";

/// Reads that file by the name of its node.
const READ: &str = "until busybox wget -q -O - http://web:8000/page.txt; do \
    busybox sleep 0.2; done; exit 3";

pub(crate) fn trials() -> Vec<Trial> {
    let trials = vec![
        trial("docker::images::a_service_and_its_client", serves),
        trial("docker::images::power_and_hangs", power),
        trial("docker::images::its_own_command", own_command),
        trial("docker::images::last_words", last_words),
    ];
    let Some(missing) = no_busybox() else {
        return trials;
    };
    eprintln!("images are not tried: {missing}");
    let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let ignored = |trial: Trial| trial.with_kind(&missing).with_ignored_flag(!strict);
    trials.into_iter().map(ignored).collect()
}

/// What is missing, and how to get it. A program that needs an interpreter names
/// it near its beginning.
fn no_busybox() -> Option<String> {
    let bytes = std::fs::read(BUSYBOX).unwrap_or_default();
    let head = &bytes[..bytes.len().min(4096)];
    let linked = head.windows(6).any(|part| part == b"/ld-li");
    (bytes.is_empty() || linked)
        .then(|| format!("no static {BUSYBOX}; apt-get install busybox-static"))
}

fn image(script: Option<&str>, context: &Path) -> Program {
    let sh = |script: &str| vec!["/bin/sh".into(), "-c".into(), script.into()];
    Program::Image {
        image: IMAGE.into(),
        build: Some(ImageBuild {
            context: context.to_path_buf(),
            dockerfile: None,
        }),
        argv: script.map(sh),
        env: vec![
            ("GREETING".into(), "from the stack".into()),
            ("PATH".into(), "/bin".into()),
        ],
        files: vec![ServiceFile {
            path: "/www/page.txt".into(),
            text: "a page of the stack\n".into(),
        }],
    }
}

async fn site() -> Result<(Site, PathBuf), Failed> {
    let site = Site::open(&NAMES).await?;
    let context = site.folder.path().join("context");
    std::fs::create_dir(&context)?;
    std::fs::copy(BUSYBOX, context.join("busybox"))?;
    std::fs::write(context.join("Dockerfile"), RECIPE)?;
    fetch([&image(None, &context)], &|line| eprintln!("{line}")).await?;
    Ok((site, context))
}

async fn logged(site: &Site, node: &str, text: &str, times: usize) -> Result<(), Failed> {
    let seen = async {
        while site.log(node).matches(text).count() < times {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(PATIENCE, seen).await;
    waited.map_err(|_| format!("no {text:?} in {:?}", site.log(node)).into())
}

/// Environment, file, network, names, log, health and end.
async fn serves() -> Result<(), Failed> {
    let (mut site, context) = site().await?;
    let server = vec![("httpd", image(Some(SERVE), &context))];
    site.world.boot(&node(&NAMES, "web", server), 0).await?;
    logged(&site, "web", "greeting from the stack", 1).await?;
    let client = vec![
        ("idle", builtin("idle")),
        ("reader", image(Some(READ), &context)),
    ];
    site.world.boot(&node(&NAMES, "client", client), 0).await?;
    let check = async |script: &str| {
        let argv = ["/bin/sh", "-c", script].map(String::from);
        let limit = Span::from_secs(10);
        site.world.check("web", "httpd", &argv, limit).await
    };
    assert!(check("busybox wget -q -O - http://127.0.0.1:8000/page.txt").await?);
    assert!(!check("exit 1").await?);
    loop {
        let event = timeout(PATIENCE, site.events.recv()).await?;
        if let WorldEvent::Exited {
            node,
            service,
            how,
            tail,
        } = event.ok_or("the world is gone")?
        {
            assert_eq!((&*node, &*service), ("client", "reader"));
            assert_eq!(how, "exit code 3", "{tail}");
            assert!(tail.contains("a page of the stack"), "{tail}");
            break;
        }
    }
    site.close().await
}

/// What happens to a node happens to its images.
async fn power() -> Result<(), Failed> {
    let (mut site, context) = site().await?;
    let programs = || vec![("httpd", image(Some(SERVE), &context))];
    let web = node(&NAMES, "web", programs());
    site.world.boot(&web, 0).await?;
    logged(&site, "web", "greeting", 1).await?;
    assert_eq!(site.world.state("web").await?, NodeState::Running);
    site.world.hang("web").await?;
    assert_eq!(site.world.state("web").await?, NodeState::Stopped);
    site.world.resume("web").await?;
    assert_eq!(site.world.state("web").await?, NodeState::Running);
    site.world.cut(&["web".to_string()]).await?;
    assert_eq!(site.world.state("web").await?, NodeState::Down);
    site.world.boot(&web, 1).await?;
    logged(&site, "web", "greeting", 2).await?;
    // Whose power is cut tells nobody that it has ended.
    sleep(Duration::from_secs(1)).await;
    while let Ok(event) = site.events.try_recv() {
        let told = matches!(event, WorldEvent::Exited { .. });
        assert!(!told, "{event:?}");
    }
    site.world.kill("web").await?;
    assert_eq!(site.world.state("web").await?, NodeState::Empty);
    site.world.restart(&web, 1).await?;
    logged(&site, "web", "greeting", 3).await?;
    assert_eq!(site.world.state("web").await?, NodeState::Running);
    site.close().await
}

/// What the image itself says is run where the stack says nothing.
async fn own_command() -> Result<(), Failed> {
    let (site, context) = site().await?;
    let programs = vec![("sleeper", image(None, &context))];
    site.world.boot(&node(&NAMES, "web", programs), 0).await?;
    let script = "busybox ps | busybox grep -q 'sleep 100[0]'";
    let argv = ["/bin/sh", "-c", script].map(String::from);
    let limit = Span::from_secs(10);
    let there = timeout(PATIENCE, async {
        while !site.world.check("web", "sleeper", &argv, limit).await? {
            sleep(Duration::from_millis(50)).await;
        }
        Ok::<(), Failed>(())
    });
    there.await??;
    site.close().await
}

/// One that ends at once is heard, and how it ended is known; one that cannot
/// be started is told.
async fn last_words() -> Result<(), Failed> {
    let (mut site, context) = site().await?;
    let brief = vec![("brief", image(Some("echo so short; exit 7"), &context))];
    site.world.boot(&node(&NAMES, "web", brief), 0).await?;
    let event = timeout(PATIENCE, site.events.recv()).await?;
    match event.ok_or("the world is gone")? {
        WorldEvent::Exited { how, tail, .. } => {
            assert_eq!((&*how, &*tail), ("exit code 7", "so short"));
        }
        other => return Err(format!("{other:?}").into()),
    }
    let mut absent = image(None, &context);
    if let Program::Image { argv, .. } = &mut absent {
        *argv = Some(vec!["/no/such/program".into()]);
    }
    let spec = node(&NAMES, "client", vec![("absent", absent)]);
    let Err(error) = site.world.boot(&spec, 0).await else {
        return Err("a program that does not exist was started".into());
    };
    let text = error.to_string();
    assert!(text.contains("start service `absent`"), "{text}");
    assert!(text.contains("no such file"), "{text}");
    assert_eq!(site.world.state("client").await?, NodeState::Down);
    site.close().await
}
