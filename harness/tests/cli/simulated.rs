//! Cases in virtual time: they need nothing of the machine.

use std::collections::BTreeMap;

use serde_json::Value;

use super::run::{
    data, events, exits, folder, holds, output, press_ctrl_c, program, said, shipped, start_until,
    summary,
};

pub(crate) const CASES: &[(&str, super::Body)] = &[
    (
        "virtual::a_dead_battery_fails_failover_with_exit_1",
        dead_battery,
    ),
    ("virtual::one_seed_gives_one_record", one_record),
    (
        "virtual::a_program_of_the_host_is_refused_before_anything_starts",
        host_program,
    ),
    ("virtual::there_is_nothing_to_capture", capture),
    ("virtual::every_node_has_a_log", logs),
    ("virtual::an_interrupt_heals_and_exits_130", interrupt),
    ("virtual::a_disarmed_injector_is_missed", disarmed),
    ("virtual::the_same_numbers_are_recorded_once", progress),
    ("virtual::who_could_notice_a_silence_is_told", silences),
];

fn dead_battery() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let playbook = data("short.yaml");
    let mut command = program();
    command
        .arg("run")
        .arg(playbook)
        .args(["--world", "virtual", "--control", "dead battery", "--out"])
        .arg(&out);
    let output = output(&mut command)?;
    exits(&output, 1)?;
    let summary = summary(&out)?;
    let failed = summary["assertions"].as_array().into_iter().flatten();
    let failed: Vec<_> = failed.filter(|a| a["verdict"] == "fail").collect();
    holds(failed.iter().any(|a| a["assertion"] == "failover"), || {
        format!("{failed:?}")
    })
}

/// Keepalive of the gateway's sockets bounds a power cut, and no hang.
fn silences() -> Result<(), String> {
    silence_of("power/rack-loss.yaml", "virtual", "gpu-2", Some(3_000.0))?;
    silence_of("node/hang.yaml", "virtual", "gpu-1", None)
}

/// In this world, the gateway holds sockets to that machine when it falls silent, they
/// imply this bound in milliseconds, and the gateway notices.
pub(crate) fn silence_of(
    playbook: &str,
    world: &str,
    peer: &str,
    bound_ms: Option<f64>,
) -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command.arg("run").arg(shipped(playbook));
    command.args(["--world", world, "--out"]).arg(&out);
    exits(&output(&mut command)?, 0)?;
    let summary = summary(&out)?;
    let found = summary["detectors"].as_array().into_iter().flatten();
    let found: Vec<&Value> = found.filter(|one| one["peer"] == peer).collect();
    let [one] = found[..] else {
        return Err(format!("{playbook}: {}", summary["detectors"]));
    };
    let bound = one["bound_ms"].as_f64();
    let seen = one["sockets"].as_u64() > Some(0) && one["noticed_ms"].as_f64().is_some();
    holds(one["node"] == "edge-1" && bound == bound_ms && seen, || {
        one.to_string()
    })
}

/// What was only said to be injected makes the run invalid, and its record says
/// that it was so.
fn disarmed() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let run = |kind: &str| {
        let mut command = program();
        command.arg("run").arg(data("short.yaml"));
        command.args(["--world", "virtual", "--out"]).arg(&out);
        output(command.env("RIDETHROUGH_DISARM", kind))
    };
    exits(&run("utility_outrage")?, 2)?;
    holds(!out.exists(), || "something was started".into())?;
    exits(&run("utility_outage")?, 3)?;
    let record = std::fs::read_to_string(out.join("record.jsonl")).map_err(|e| e.to_string())?;
    let head = record.lines().next().unwrap_or_default();
    holds(head.contains(r#""disarmed":"utility_outage""#), || {
        head.into()
    })
}

/// The same playbook and seed give the same record and the same id; another
/// seed gives another.
fn one_record() -> Result<(), String> {
    let folder = folder()?;
    let run = |name: &str, seed: &str| -> Result<(Vec<u8>, String), String> {
        let out = folder.path().join(name);
        let mut command = program();
        command.arg("run").arg(data("short.yaml"));
        command.args(["--world", "virtual", "--seed", seed, "--out"]);
        exits(&output(command.arg(&out))?, 0)?;
        let record = std::fs::read(out.join("record.jsonl")).map_err(|e| e.to_string())?;
        Ok((record, summary(&out)?["run"].to_string()))
    };
    let (first, again, other) = (run("a", "3")?, run("b", "3")?, run("c", "4")?);
    holds(first == again, || "two runs of one seed differ".into())?;
    holds(first.0 != other.0 && first.1 != other.1, || {
        "two seeds give one record".into()
    })
}

fn host_program() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    for verb in ["check", "run"] {
        let mut command = program();
        command.arg(verb).arg(data("ends.yaml"));
        command.args(["--world", "virtual"]);
        if verb == "run" {
            command.arg("--out").arg(&out);
        }
        let output = output(&mut command)?;
        exits(&output, 2)?;
        let text = said(&output);
        let words = ["ends.yaml:11", "service `broken`", "--world embedded"];
        for word in words {
            holds(text.contains(word), || {
                format!("{verb}: no {word:?} in:\n{text}")
            })?;
        }
    }
    holds(!out.exists(), || "a run folder was made".into())?;
    // Elsewhere it is a good playbook.
    let mut command = program();
    command.arg("check").arg(data("ends.yaml"));
    exits(&output(command.args(["--world", "embedded"]))?, 0)
}

fn capture() -> Result<(), String> {
    let mut command = program();
    command.arg("run").arg(data("short.yaml"));
    let output = output(command.args(["--world", "virtual", "--pcap"]))?;
    exits(&output, 2)?;
    let text = said(&output);
    holds(text.contains("--world embedded"), || text)
}

fn logs() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command.arg("run").arg(data("short.yaml"));
    command.args(["--world", "virtual", "--out"]);
    exits(&output(command.arg(&out))?, 0)?;
    for node in ["edge-1", "gpu-1", "clients", "supervisor", "monitor"] {
        let log = out.join(format!("logs/{node}.log"));
        holds(log.is_file(), || format!("no {}", log.display()))?;
    }
    Ok(())
}

/// Hours of virtual time take longer than pressing Ctrl-C.
fn interrupt() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command.arg("run").arg(data("hours.yaml"));
    command.args(["--world", "virtual", "--out"]).arg(&out);
    let mut child = start_until(&mut command, "partition hits")?;
    press_ctrl_c(&child)?;
    let status = child.wait().map_err(|error| error.to_string())?;
    holds(status.code() == Some(130), || format!("{status}"))?;
    let of = |kind| Ok::<_, String>(events(&out)?.into_iter().filter(move |e| e["kind"] == kind));
    holds(of("fault_healed")?.count() == 1, || {
        "it did not heal".into()
    })?;
    let how = of("end")?.next().map(|end| end["how"].clone());
    holds(how.as_ref().is_some_and(|how| how == "interrupted"), || {
        format!("{how:?}")
    })?;
    let summary = summary(&out)?;
    holds(summary["exit"] == 130, || summary["exit"].to_string())
}

/// Numbers are said twice a second; where nothing happens, they are the same.
fn progress() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command.arg("run").arg(data("quiet.yaml"));
    command.args(["--world", "virtual", "--out"]);
    exits(&output(command.arg(&out))?, 0)?;
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    let mut count = 0;
    for event in events(&out)?.iter().filter(|e| e["kind"] == "progress") {
        let values = event["values"].clone();
        let before = last.insert(event["source"].to_string(), values.clone());
        holds(before.as_ref() != Some(&values), || event.to_string())?;
        count += 1;
    }
    holds(count > 5, || format!("{count} words of progress"))
}
