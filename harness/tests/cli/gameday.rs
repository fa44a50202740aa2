//! Game days as people hold them: over HTTP, with the run going on behind it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "processes live in real time"
)]

mod day;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use day::{CONDUCTOR, Day, PATIENCE, SCRIBE};

use super::devtools::Browser;
use super::live::{Live, live};
use super::run::{data, events, exits, folder, holds, output, program, said, summary};

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("gameday::a_rehearsal_shifts_the_timeline", rehearsal),
    ("gameday::what_cannot_be_is_said_before_the_run", refused),
];

pub(crate) const IN_A_WORLD: &[Live] = &[
    live("gameday::people_hold_inject_mark_and_note", people),
    live("gameday::one_stop_heals_at_once", stop),
    live("gameday::nobody_answers_and_everything_heals", silence),
    live("gameday::a_lost_harness_is_healed", lost),
    Live {
        name: "gameday::a_blind_crew_sees_the_load_alone",
        body: blind,
        needs: &[("chromium", "chromium")],
    },
    Live {
        name: "gameday::chromium_and_prometheus_look_on",
        body: lookers_on,
        needs: &[("chromium", "chromium"), ("prometheus", "prometheus")],
    },
];

/// The events of one kind.
fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["kind"] == kind)
        .collect()
}

fn rehearsal() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command.arg("gameday").arg(data("gameday.yaml"));
    command.args(["--world", "virtual", "--token-scribe", SCRIBE]);
    command
        .args(["--token-conductor", CONDUCTOR, "--out"])
        .arg(&out);
    let held = output(&mut command)?;
    exits(&held, 0)?;
    holds(said(&held).contains(CONDUCTOR), || {
        "no URL of the conductor".into()
    })?;
    let all = events(&out)?;
    let phases = of_kind(&all, "phase");
    let length = |n: usize| {
        let at = |n: usize| phases[n]["t_us"].as_u64().unwrap_or(0);
        at(n + 1) - at(n)
    };
    // The baseline is longer by what the hold took, and nothing else is.
    holds(length(0) == 7_000_000 && length(1) == 6_000_000, || {
        format!("{phases:?}")
    })?;
    let fault = &of_kind(&all, "fault_injected")[0];
    holds(fault["requested_us"] == phases[1]["t_us"], || {
        fault.to_string()
    })?;
    let done = &of_kind(&all, "load_done")[0];
    // 15/s for 15 s, and what is due in the 50 ms until the clients close.
    holds(done["planned"] == 226 && done["sent"] == 226, || {
        done.to_string()
    })?;
    // What opens the doors is nowhere in what is kept.
    for file in [
        "record.jsonl",
        "report.html",
        "junit.xml",
        "playbook.yaml",
        "bundle.tar",
    ] {
        let bytes = std::fs::read(out.join(file)).map_err(|e| format!("{file}: {e}"))?;
        let text = String::from_utf8_lossy(&bytes);
        holds(!text.contains(CONDUCTOR) && !text.contains(SCRIBE), || {
            format!("a token is in {file}")
        })?;
    }
    exits(
        &output(program().arg("verify").arg(out.join("bundle.tar")))?,
        0,
    )?;
    // Without a game day nothing is held, and nobody injects by hand.
    let plain = folder.path().join("plain");
    let mut command = program();
    command.arg("run").arg(data("gameday.yaml"));
    let output = output(command.args(["--world", "virtual", "--out"]).arg(&plain))?;
    exits(&output, 0)?;
    let all = events(&plain)?;
    holds(of_kind(&all, "held").is_empty(), || "it was held".into())?;
    let done = &of_kind(&all, "load_done")[0];
    holds(done["planned"] == 150, || done.to_string())
}

fn refused() -> Result<(), String> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let taken = taken
        .local_addr()
        .map_err(|e| e.to_string())
        .map(|a| (taken, a))?;
    let address = taken.1.to_string();
    let cases: [(&[&str], &str); 5] = [
        (&["--token-scribe", "short"], "a token has 8 or more"),
        (
            &[
                "--token-scribe",
                "same-same",
                "--token-conductor",
                "same-same",
            ],
            "of its own",
        ),
        (&["--hold-limit", "2d"], "--hold-limit"),
        (&["--listen", &address], "cannot be served"),
        (&["--key", "/nowhere.pem"], "/nowhere.pem"),
    ];
    for (words, wanted) in cases {
        let mut command = program();
        command.arg("gameday").arg(data("gameday.yaml"));
        let output = output(command.args(["--world", "virtual"]).args(words))?;
        exits(&output, 2)?;
        holds(said(&output).contains(wanted), || {
            format!("{words:?}: {}", said(&output))
        })?;
    }
    Ok(())
}

fn people() -> Result<(), String> {
    let mut day = Day::begin(&[])?;
    day.until("waiting before utility_outage")?;
    let page = day.get(&format!("/?token={CONDUCTOR}"))?;
    holds(page.contains("Are the generators staffed?"), || {
        "no question".into()
    })?;
    // The load goes on while they talk.
    let sent = |day: &Day| -> Result<u64, String> {
        let text = day.get("/metrics")?;
        let lines = text
            .lines()
            .filter(|l| l.starts_with("ridethrough_run_requests_total{"));
        let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Ok(counts.sum())
    };
    // 18 are due in the baseline before the hold.
    let begun = Instant::now();
    while sent(&day)? < 40 {
        holds(begun.elapsed() < PATIENCE, || "the load stands, too".into())?;
        std::thread::sleep(Duration::from_millis(100));
    }
    day.post("release", CONDUCTOR, "fault=0")?;
    day.until("utility_outage hits")?;
    day.post("arm", CONDUCTOR, "fault=1")?;
    day.post("confirm", CONDUCTOR, "fault=1")?;
    day.until("hang hits node gpu-2")?;
    day.post("noticed", SCRIBE, "fault=0&name=Ada")?;
    day.post("note", SCRIBE, "name=Ada&text=the+grid+is+gone+%26+we+hold")?;
    day.post("decided", SCRIBE, "fault=0")?;
    day.post("acted", SCRIBE, "fault=0")?;
    let status = day.end()?;
    holds(status.code() == Some(0), || day.all())?;
    let summary = summary(&day.out())?;
    let crew = &summary["crew"][0];
    let noticed = crew["noticed_ms"].as_f64().unwrap_or(0.0);
    let acted = crew["acted_ms"].as_f64().unwrap_or(0.0);
    holds(noticed > 0.0 && acted >= noticed && acted < 6_000.0, || {
        crew.to_string()
    })?;
    let faults = summary["faults"].as_array().map(Vec::len);
    holds(
        faults == Some(2) && summary["faults"][1]["effective"] == true,
        || summary["faults"].to_string(),
    )?;
    let page = std::fs::read_to_string(day.out().join("report.html")).map_err(|e| e.to_string())?;
    holds(page.contains("the grid is gone &amp; we hold"), || {
        "no note".into()
    })
}

fn stop() -> Result<(), String> {
    let mut day = Day::begin(&["--hold-limit", "10m"])?;
    day.until("waiting before utility_outage")?;
    day.post("release", CONDUCTOR, "fault=0")?;
    day.until("utility_outage hits")?;
    let begun = Instant::now();
    day.post("stop", SCRIBE, "name=Ada")?;
    let status = day.end()?;
    let took = begun.elapsed();
    holds(status.code() == Some(130), || day.all())?;
    let events = events(&day.out())?;
    let stopped = of_kind(&events, "human");
    let stopped = stopped.iter().find(|human| human["act"] == "stopped");
    let at = stopped
        .and_then(|human| human["t_us"].as_u64())
        .ok_or("not told")?;
    let healed = &of_kind(&events, "fault_healed")[0]["t_us"];
    let healed = healed.as_u64().unwrap_or(u64::MAX);
    holds(healed >= at && healed - at < 2_000_000, || {
        format!("stopped at {at}, healed at {healed}, in {took:?}")
    })?;
    nothing_left(&day)
}

fn nothing_left(day: &Day) -> Result<(), String> {
    let left = std::fs::read_dir(day.folder.path().join("state"));
    let left: Vec<PathBuf> = left
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    holds(left.is_empty(), || format!("left: {left:?}"))
}

fn silence() -> Result<(), String> {
    let mut day = Day::begin(&["--hold-limit", "1s"])?;
    let status = day.end()?;
    holds(status.code() == Some(3), || day.all())?;
    let said = day.said();
    holds(
        said.contains("nobody released the fault utility_outage within 1s"),
        || said.clone(),
    )?;
    nothing_left(&day)
}

/// A harness that is killed while people talk: its guardian puts the host back.
fn lost() -> Result<(), String> {
    let mut day = Day::begin(&[])?;
    day.until("waiting before utility_outage")?;
    day.child.kill().map_err(|e| e.to_string())?;
    day.child.wait().map_err(|e| e.to_string())?;
    let begun = Instant::now();
    while nothing_left(&day).is_err() {
        if begun.elapsed() > PATIENCE {
            return nothing_left(&day);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn lookers_on() -> Result<(), String> {
    let day = Day::begin(&[])?;
    day.until("waiting before utility_outage")?;
    browser(&day)?;
    prometheus(&day)
}

fn blind() -> Result<(), String> {
    let day = Day::begin(&["--blind"])?;
    day.until("waiting before utility_outage")?;
    let document = drawn(&day, SCRIBE)?;
    // Scripts know words of every fault; what is shown is before them.
    let body = document.split("<body").nth(1).unwrap_or_default();
    let shown = body.split("id=\"boot\"").next().unwrap_or_default();
    for secret in ["generators staffed", "utility_outage", "ups-a", "baseline"] {
        holds(!shown.contains(secret), || format!("it shows {secret:?}"))?;
    }
    holds(
        drawn(&day, CONDUCTOR)?.contains("generators staffed"),
        || "the conductor is not asked".into(),
    )
}

fn browser(day: &Day) -> Result<(), String> {
    let document = drawn(day, CONDUCTOR)?;
    let heading = "<h2>Are the generators staffed?</h2>";
    holds(document.contains(heading), || "no question".into())?;
    holds(document.contains("<h2>By hand</h2>"), || {
        "no fault by hand".into()
    })
}

/// The page as a browser has drawn it, once there are requests in it.
fn drawn(day: &Day, token: &str) -> Result<String, String> {
    let mut browser = Browser::open(&format!("http://{}/?token={token}", day.address))?;
    let begun = Instant::now();
    loop {
        let found = browser.text("document.documentElement.dataset.live")?;
        let json: Value = serde_json::from_str(&found.unwrap_or_default()).unwrap_or_default();
        if json["rows"].as_u64().unwrap_or(0) > 5 {
            holds(json["problems"] == 0, || json.to_string())?;
            let document = browser.text("document.documentElement.outerHTML")?;
            return document.ok_or_else(|| "no document".to_string());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("nothing was drawn: {json}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn prometheus(day: &Day) -> Result<(), String> {
    let place = folder()?;
    let config = place.path().join("prometheus.yml");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let web = port.map_err(|e| e.to_string())?.to_string();
    let text = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: run\n    \
         static_configs: [{{targets: ['{}']}}]\n",
        day.address
    );
    std::fs::write(&config, text).map_err(|e| e.to_string())?;
    let mut child = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            place.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={web}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let counted = scraped(&web);
    let _ = child.kill();
    let _ = child.wait();
    counted
}

/// Waits until a Prometheus has taken the numbers, and understood them.
fn scraped(web: &str) -> Result<(), String> {
    let begun = Instant::now();
    let query = "ridethrough_run_time_to_first_token_seconds_count";
    loop {
        let answer = http(web, &format!("/api/v1/query?query={query}")).unwrap_or_default();
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let result = &json["data"]["result"][0];
        if result["metric"]["load"] == "chat" {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("Prometheus has nothing: {answer}"));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn http(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    // The old protocol, so that the answer is not in pieces.
    let head = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}
