//! Cases that run a world.

use std::process::Command;
use std::time::Duration;

use ridethrough_targets::world::embedded;

use super::run::{
    data, exits, folder, holds, output, press_ctrl_c, program, said, shipped, start_until, summary,
};
use super::simulated::silence_of;

pub(crate) struct Live {
    pub(crate) name: &'static str,
    pub(crate) body: super::Body,
    /// Programs and the packages that have them.
    pub(crate) needs: &'static [(&'static str, &'static str)],
}

pub(crate) const fn live(name: &'static str, body: super::Body) -> Live {
    Live {
        name,
        body,
        needs: &[],
    }
}

pub(crate) const CASES: &[Live] = &[
    live("live::a_run_leaves_a_folder_that_reads_well", run_folder),
    live("live::a_fault_without_witness_exits_3", no_witness),
    live("live::a_service_that_ends_at_start_exits_4", ends_at_start),
    live(
        "live::a_service_that_is_never_healthy_exits_4",
        never_healthy,
    ),
    live(
        "live::services_of_others_say_when_they_can_be_used",
        healthy,
    ),
    live("live::a_program_that_is_missing_exits_4", missing_program),
    live("live::an_interrupt_heals_and_exits_130", interrupt),
    live("live::a_record_can_be_judged_again", judge_again),
    live("live::who_could_notice_a_silence_is_told", || {
        silence_of("power/rack-loss.yaml", "embedded", "gpu-2", Some(3_000.0))
    }),
    Live {
        name: "live::a_supervisor_of_others_decides",
        body: external,
        needs: &[("upsc", "nut-client"), ("upscmd", "nut-client")],
    },
    Live {
        name: "live::a_capture_opens_in_tshark",
        body: capture,
        needs: &[("tshark", "tshark")],
    },
    Live {
        name: "live::without_namespaces_a_run_falls_back_to_virtual",
        body: fallback,
        needs: &[("unshare", "util-linux")],
    },
    Live {
        name: "live::a_full_disk_is_named",
        body: full_disk,
        needs: &[("unshare", "util-linux"), ("mount", "mount")],
    },
];

/// The site's own supervisor is off: Debian's NUT clients, as a service of the
/// stack, read one device's card and give another one an order.
fn external() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let output = output(
        program()
            .arg("run")
            .arg(data("external.yaml"))
            .arg("--out")
            .arg(&out),
    )?;
    exits(&output, 0)?;
    let read = |name: &str| {
        let text = std::fs::read_to_string(out.join(name));
        text.map_err(|error| format!("{name}: {error}"))
    };
    let log = read("logs/edge-1.log")?;
    holds(log.contains("ups-a: OB DISCHRG"), || log.clone())?;
    let record = read("record.jsonl")?;
    let order = r#""device":"pdu-b","command":{"outlet":{"index":0,"on":false}},"refused":null"#;
    holds(record.contains(order), || log.clone())?;
    let supervisor = r#""source":"supervisor""#;
    holds(!record.contains(supervisor), || {
        "a supervisor of ours ran".into()
    })
}

fn run_folder() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let output = output(
        program()
            .arg("run")
            .arg(data("short.yaml"))
            .arg("--out")
            .arg(&out),
    )?;
    exits(&output, 0)?;
    for name in [
        "record.jsonl",
        "summary.json",
        "junit.xml",
        "report.html",
        "playbook.yaml",
        "logs/gpu-1.log",
    ] {
        holds(out.join(name).is_file(), || {
            format!("no {name} in the run folder")
        })?;
    }
    let summary = summary(&out)?;
    let total = summary["requests"]["total"].as_u64().unwrap_or(0);
    let completed = summary["requests"]["completed"].as_u64().unwrap_or(0);
    holds(total > 20 && completed == total, || {
        format!("{}", summary["requests"])
    })?;
    holds(summary["verdict"] == "pass" && summary["exit"] == 0, || {
        summary.to_string()
    })?;
    let effective = summary["faults"][0]["effective"] == true;
    holds(effective, || summary["faults"].to_string())
}

/// A partition that is over before any probe could be sent through it.
fn no_witness() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let output = output(
        program()
            .arg("run")
            .arg(data("unseen.yaml"))
            .arg("--out")
            .arg(&out),
    )?;
    exits(&output, 3)?;
    let summary = summary(&out)?;
    holds(summary["faults"][0]["effective"] == false, || {
        summary["faults"].to_string()
    })
}

fn ends_at_start() -> Result<(), String> {
    let folder = folder()?;
    let playbook = data("ends.yaml");
    let output = output(
        program()
            .arg("run")
            .arg(playbook)
            .arg("--out")
            .arg(folder.path()),
    )?;
    exits(&output, 4)?;
    let text = said(&output);
    holds(
        text.contains("broken on gpu-1") && text.contains("exit code 7"),
        || text,
    )
}

fn never_healthy() -> Result<(), String> {
    let folder = folder()?;
    let playbook = data("deaf.yaml");
    let output = output(
        program()
            .arg("run")
            .arg(playbook)
            .arg("--out")
            .arg(folder.path()),
    )?;
    exits(&output, 4)?;
    let text = said(&output);
    holds(
        text.contains("not healthy within") && text.contains("no connection to deaf:9999"),
        || text.clone(),
    )?;
    // Both ways out, and the evidence that one of them names is there.
    let log = folder.path().join("logs/deaf.log");
    let named = text.contains(&log.display().to_string()) && text.contains("`ready_within`");
    holds(named && log.exists(), || text)
}

/// By what they log, and by a program beside them; their files are theirs alone.
fn healthy() -> Result<(), String> {
    let folder = folder()?;
    let playbook = data("healthy.yaml");
    let mut command = program();
    command
        .arg("run")
        .arg(playbook)
        .arg("--out")
        .arg(folder.path());
    exits(&output(&mut command)?, 0)?;
    let record = folder.path().join("record.jsonl");
    let record = std::fs::read_to_string(record).map_err(|error| error.to_string())?;
    for service in ["logs", "marks"] {
        let said = |line: &str| {
            line.contains("\"service_ready\"") && line.contains(&format!("\"{service}\""))
        };
        holds(record.lines().any(said), || {
            format!("{service} is not ready")
        })?;
    }
    let log = folder.path().join("logs/other-1.log");
    let log = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
    let left = std::path::Path::new("/run/up").exists();
    holds(log.contains("serving at 10.77.1.2") && !left, || log)
}

fn missing_program() -> Result<(), String> {
    let folder = folder()?;
    let text = std::fs::read_to_string(data("healthy.yaml")).map_err(|error| error.to_string())?;
    let site = data("../../../../playbooks/sites/two-feed.yaml");
    let text = text
        .replace("/bin/sh, /opt", "no-such-program, /opt")
        .replace("draw: 50%", "needs: {install: get no-such-program}")
        .replace(
            "../../../../playbooks/sites/two-feed.yaml",
            &site.display().to_string(),
        );
    let playbook = folder.path().join("missing.yaml");
    std::fs::write(&playbook, text).map_err(|error| error.to_string())?;
    let mut command = program();
    let out = folder.path().join("out");
    command.arg("run").arg(playbook).arg("--out").arg(&out);
    let output = output(&mut command)?;
    exits(&output, 4)?;
    let text = said(&output);
    let named = "no program `no-such-program`, which service `logs` runs; get it with `get no-such-program`";
    holds(text.contains(named) && !out.exists(), || text)
}

fn interrupt() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command
        .arg("run")
        .arg(shipped("power/utility-outage.yaml"))
        .arg("--out")
        .arg(&out);
    let mut child = start_until(&mut command, "utility_outage hits")?;
    press_ctrl_c(&child)?;
    let status = child.wait().map_err(|error| error.to_string())?;
    holds(status.code() == Some(130), || format!("{status}"))?;
    let record = std::fs::read_to_string(out.join("record.jsonl")).map_err(|e| e.to_string())?;
    holds(
        record.contains("\"fault_healed\"") && record.contains("interrupted"),
        || "the record does not say that it healed".into(),
    )
}

fn judge_again() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    exits(
        &output(
            program()
                .arg("run")
                .arg(data("short.yaml"))
                .arg("--out")
                .arg(&out),
        )?,
        0,
    )?;
    exits(&output(program().arg("judge").arg(&out))?, 0)?;
    let stricter = data("stricter.yaml");
    let output = output(
        program()
            .arg("judge")
            .arg(&out)
            .arg("--playbook")
            .arg(stricter),
    )?;
    exits(&output, 1)
}

fn capture() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command
        .arg("run")
        .arg(data("short.yaml"))
        .arg("--pcap")
        .arg("--out")
        .arg(&out);
    exits(&output(&mut command)?, 0)?;
    let mut tshark = Command::new("tshark");
    tshark
        .arg("-r")
        .arg(out.join("capture.pcapng"))
        // All of it: how much the nodes say before the first request is theirs.
        .args(["-Y", "http.request"]);
    let output = output(&mut tshark)?;
    exits(&output, 0)?;
    let text = said(&output);
    holds(text.contains("/v1/chat/completions"), || {
        format!("no request in the capture:\n{text}")
    })
}

/// A run whose record cannot grow says so and ends.
fn full_disk() -> Result<(), String> {
    let folder = folder()?;
    let script = format!(
        "mount -t tmpfs -o size=96k none {0} && exec {1} run {2} --out {0}/run",
        folder.path().display(),
        env!("CARGO_BIN_EXE_ridethrough"),
        data("short.yaml").display()
    );
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    if embedded::as_root() {
        command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script]);
    }
    let began = std::time::Duration::from_secs(60);
    let output = bounded(&mut command, began)?;
    exits(&output, 4)?;
    let text = said(&output);
    let path = folder.path().join("run/record.jsonl");
    let file = text.contains(&path.display().to_string());
    holds(
        text.contains("No space left") && file && text.contains("`--out`"),
        || text,
    )
}

/// In a user namespace that may have no namespaces below it.
fn fallback() -> Result<(), String> {
    const NO_MORE: &str = "cd /proc/sys/user && echo 0 > max_net_namespaces \
        && echo 0 > max_user_namespaces && cd - > /dev/null && exec \"$@\"";
    let folder = folder()?;
    let run = |name: &str, world: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", NO_MORE, "sh"]);
        command.arg(program().get_program()).arg("run");
        command.arg(shipped("power/sag-inside.yaml")).args(world);
        command.arg("--out").arg(folder.path().join(name));
        output(&mut command)
    };
    let told = run("default", &[])?;
    exits(&told, 0)?;
    let text = said(&told);
    let line = "running in world `virtual`, in process: no user namespaces";
    holds(text.matches(line).count() == 1, || text.clone())?;
    let record = std::fs::read_to_string(folder.path().join("default/record.jsonl"));
    let record = record.map_err(|error| error.to_string())?;
    let first = record.lines().next().unwrap_or_default();
    holds(first.contains(r#""world":"virtual""#), || first.into())?;
    // Who asks for a world gets no other.
    let refused = run("asked", &["--world", "embedded"])?;
    exits(&refused, 4)?;
    let text = said(&refused);
    holds(text.contains("no user namespaces"), || text.clone())
}

fn bounded(command: &mut Command, bound: Duration) -> Result<std::process::Output, String> {
    let seconds = bound.as_secs().to_string();
    let mut timeout = Command::new("timeout");
    timeout
        .arg(seconds)
        .arg(command.get_program())
        .args(command.get_args());
    timeout.env("NO_COLOR", "1");
    output(&mut timeout)
}
