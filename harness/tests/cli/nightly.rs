//! What a CI system is told, and what must fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::run::{data, exits, folder, holds, output, program, said, shipped, summary};

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("nightly::a_canary_that_is_caught_exits_0", caught),
    ("nightly::a_canary_that_is_not_caught_exits_1", not_caught),
    ("nightly::any_control_can_be_a_canary", control),
    (
        "nightly::nothing_is_expected_of_what_is_not_promised",
        not_promised,
    ),
    ("nightly::github_is_told_where_a_promise_stands", github),
    ("nightly::gitlab_is_told_where_a_promise_stands", gitlab),
    (
        "nightly::a_control_that_fails_as_it_must_is_green",
        controls,
    ),
    ("nightly::a_control_that_does_not_fail_is_red", harmless),
    (
        "nightly::controls_of_what_could_not_run_are_nobodys",
        orphans,
    ),
    ("nightly::what_fails_is_told_broken_from_flaky", again),
    ("nightly::a_world_that_is_not_there_is_told_too", no_world),
];

fn virtually(playbook: &Path, out: &Path) -> Command {
    let mut command = program();
    command.arg("run").arg(playbook);
    command.args(["--world", "virtual", "--out"]).arg(out);
    command
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn has(text: &str, words: &[&str]) -> Result<(), String> {
    for word in words {
        holds(text.contains(word), || format!("no {word:?} in:\n{text}"))?;
    }
    Ok(())
}

fn caught() -> Result<(), String> {
    let folder = folder()?;
    let mut command = virtually(
        &shipped("canary/torn-answers.yaml"),
        &folder.path().join("run"),
    );
    exits(&output(command.args(["--expect", "fail:continuity"]))?, 0)
}

/// The same playbook without its bug, and one that fails, but elsewhere.
fn not_caught() -> Result<(), String> {
    let folder = folder()?;
    let text = text(&shipped("canary/torn-answers.yaml"))?;
    let bug = "known_bad: error_then_done";
    holds(text.contains(bug), || "the bug has another name".into())?;
    let root = shipped("")
        .canonicalize()
        .map_err(|error| error.to_string())?;
    let text = text.replace("../", &format!("{}/", root.display()));
    let mended = folder.path().join("mended.yaml");
    std::fs::write(&mended, text.replace(bug, "slots: 32")).map_err(|e| e.to_string())?;
    let mut command = virtually(&mended, &folder.path().join("mended"));
    let done = output(command.args(["--expect", "fail:continuity"]))?;
    exits(&done, 1)?;
    has(
        &said(&done),
        &["must fail on continuity, but every promise held"],
    )?;
    let mut command = virtually(
        &shipped("canary/torn-answers.yaml"),
        &folder.path().join("other"),
    );
    let done = output(command.args(["--expect", "fail:failover"]))?;
    exits(&done, 1)?;
    has(
        &said(&done),
        &["must fail on failover, but it failed on continuity"],
    )?;
    // What says nothing has caught nothing.
    let mut command = virtually(
        &shipped("canary/torn-answers.yaml"),
        &folder.path().join("blind"),
    );
    command.env("RIDETHROUGH_DISARM", "utility_outage");
    let done = output(command.args(["--expect", "fail:continuity"]))?;
    exits(&done, 1)?;
    has(&said(&done), &["but the experiment did not hold"])
}

fn control() -> Result<(), String> {
    let folder = folder()?;
    let run = |expect: &str, name: &str| {
        let mut command = virtually(&data("short.yaml"), &folder.path().join(name));
        command.args(["--control", "dead battery", "--expect", expect]);
        output(&mut command)
    };
    exits(&run("fail:failover", "a")?, 0)?;
    exits(&run("fail", "b")?, 0)?;
    exits(&run("pass", "c")?, 1)?;
    exits(&run("invalid", "d")?, 1)
}

fn not_promised() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    for (expect, word) in [
        (
            "fail:battery",
            "promises no `battery`; it promises continuity, failover",
        ),
        ("fail:batery", "did you mean `battery`?"),
        ("fails", "`fail:ASSERTION`"),
    ] {
        let mut command = virtually(&data("short.yaml"), &out);
        let done = output(command.args(["--expect", expect]))?;
        exits(&done, 2)?;
        has(&said(&done), &[word])?;
    }
    holds(!out.exists(), || "something was started".into())
}

fn on_github(folder: &Path, playbook: &Path, more: &[&str]) -> Result<(Output, String), String> {
    let page = folder.join("page.md");
    let root = shipped("..")
        .canonicalize()
        .map_err(|error| error.to_string())?;
    let mut command = virtually(playbook, &folder.join("run"));
    command.args(more);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_WORKSPACE", root);
    command.env("GITHUB_STEP_SUMMARY", &page);
    let done = output(&mut command)?;
    Ok((done, text(&page).unwrap_or_default()))
}

fn github() -> Result<(), String> {
    let folder = folder()?;
    let more = ["--control", "dead battery"];
    let (done, page) = on_github(folder.path(), &data("short.yaml"), &more)?;
    exits(&done, 1)?;
    let place =
        "::error file=harness/tests/cli/data/short.yaml,line=13,title=short outage%3A dead battery";
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    has(&out, &[place, "asked%3A", "to repeat: ridethrough run"]).or_else(|_| {
        has(
            &out,
            &[place, "asked: on battery", "%0Ato repeat: ridethrough run"],
        )
    })?;
    has(
        &page,
        &[
            "### ✗ short outage: dead battery: FAIL",
            "| ✗ |",
            "<details>",
            "--control 'dead battery'",
        ],
    )?;
    // Scripts that read JSON are not disturbed.
    let folder = super::run::folder()?;
    let (done, _) = on_github(
        folder.path(),
        &data("short.yaml"),
        &["--control", "dead battery", "--json"],
    )?;
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        serde_json::from_str::<Value>(line).map_err(|error| format!("{error}: {line}"))?;
    }
    has(&String::from_utf8_lossy(&done.stderr), &["::error "])?;
    // A run that is good has nothing to annotate, and elsewhere nobody is told.
    let folder = super::run::folder()?;
    let (done, page) = on_github(folder.path(), &data("short.yaml"), &[])?;
    exits(&done, 0)?;
    holds(!said(&done).contains("::error"), || said(&done))?;
    has(&page, &["### ✓ short outage: PASS"])?;
    let folder = super::run::folder()?;
    let mut command = virtually(&data("short.yaml"), &folder.path().join("run"));
    let done = output(command.args(["--control", "dead battery"]))?;
    holds(!said(&done).contains("::error"), || said(&done))
}

fn gitlab() -> Result<(), String> {
    let folder = folder()?;
    let report = folder.path().join("quality.json");
    let root = shipped("..")
        .canonicalize()
        .map_err(|error| error.to_string())?;
    let mut command = virtually(&data("short.yaml"), &folder.path().join("run"));
    command.args(["--control", "dead battery", "--gitlab-codequality"]);
    let done = output(command.arg(&report).env("CI_PROJECT_DIR", root))?;
    exits(&done, 1)?;
    let all: Value = serde_json::from_str(&text(&report)?).map_err(|e| e.to_string())?;
    let first = &all[0];
    holds(
        first["location"]["path"] == "harness/tests/cli/data/short.yaml"
            && first["location"]["lines"]["begin"] == 13
            && first["check_name"] == "ridethrough/failover"
            && first["fingerprint"].as_str().is_some_and(|f| f.len() == 32),
        || first.to_string(),
    )?;
    // A place that cannot be written is told, and costs no verdict.
    let mut command = virtually(&data("short.yaml"), &folder.path().join("again"));
    let done = output(command.args(["--gitlab-codequality", "/nonexistent/x.json"]))?;
    exits(&done, 4)?;
    has(&said(&done), &["/nonexistent/x.json", "✓ PASS"])
}

fn controls() -> Result<(), String> {
    let folder = folder()?;
    let junit = folder.path().join("junit.xml");
    let mut command = virtually(&data("short.yaml"), &folder.path().join("runs"));
    let done = output(command.arg("--controls").arg("--junit").arg(&junit))?;
    exits(&done, 0)?;
    let xml = text(&junit)?;
    has(
        &xml,
        &[
            "failures=\"0\" errors=\"0\"",
            "must fail on failover",
            "line=\"13\"",
        ],
    )?;
    tried(
        &folder.path().join("runs"),
        true,
        "it failed on failover, continuity",
    )
}

/// The playbook's own report says what its controls came to, and still does when it
/// is written again.
fn tried(runs: &Path, good: bool, came: &str) -> Result<(), String> {
    let (run, told) = with_controls(runs)?.ok_or("no summary has controls")?;
    holds(told.len() == 1, || format!("{told:?}"))?;
    holds(told[0]["good"] == good && told[0]["came"] == came, || {
        told[0].to_string()
    })?;
    let word = if good { ">caught<" } else { ">not caught<" };
    let page = text(&run.join("report.html"))?;
    has(&page, &[word, came])?;
    exits(&output(program().arg("report").arg(&run))?, 0)?;
    has(&text(&run.join("report.html"))?, &[word, came])?;
    exits(&output(program().arg("judge").arg(&run))?, 0)?;
    has(&text(&run.join("report.html"))?, &[word, came])
}

/// The run whose summary tells of controls, and what it tells.
fn with_controls(runs: &Path) -> Result<Option<(PathBuf, Vec<Value>)>, String> {
    let folders = std::fs::read_dir(runs).map_err(|error| error.to_string())?;
    let mut all = folders.filter_map(|entry| Some(entry.ok()?.path()));
    let of = |run: &Path| Some(summary(run).ok()?["controls"].as_array()?.clone());
    Ok(all.find_map(|run| of(&run).map(|of| (run, of))))
}

/// The playbook's folder cannot be made; its controls' can, run, and are not taken
/// for the playbook.
fn orphans() -> Result<(), String> {
    let folder = folder()?;
    let one_more = |whole: &str| {
        format!("{whole}  - {{name: dead once more, set: {DEAD}, fails: failover}}\n")
    };
    let playbook = short(&folder, one_more)?;
    let before = folder.path().join("before");
    exits(&output(virtually(&playbook, &before).arg("--controls"))?, 0)?;
    let (own, told) = with_controls(&before)?.ok_or("no summary has controls")?;
    holds(told.len() == 2, || format!("{told:?}"))?;
    let name = own.file_name().ok_or("a run without a name")?;
    let runs = folder.path().join("runs");
    std::fs::create_dir(&runs)
        .and_then(|()| std::os::unix::fs::symlink("/nonexistent/run", runs.join(name)))
        .map_err(|error| error.to_string())?;
    let junit = folder.path().join("junit.xml");
    let mut command = virtually(&playbook, &runs);
    let done = output(command.arg("--controls").arg("--junit").arg(&junit))?;
    exits(&done, 4)?;
    let counts = "failures=\"0\" errors=\"1\"";
    has(&text(&junit)?, &[counts, "must fail on failover"])?;
    let there = with_controls(&runs)?;
    holds(there.is_none(), || format!("{there:?}"))?;
    let entries = std::fs::read_dir(&runs).map_err(|error| error.to_string())?;
    let ran = entries.filter(|entry| entry.as_ref().is_ok_and(|e| summary(&e.path()).is_ok()));
    let ran = ran.count();
    holds(ran == 2, || format!("{ran} runs, not the two controls"))
}

/// A control that does not fail is red, and is told so.
fn harmless() -> Result<(), String> {
    let folder = folder()?;
    let mild = "{load.chat.arrivals: {constant: {rate: 14/s}}}";
    let playbook = short(&folder, |whole| whole.replace(DEAD, mild))?;
    let runs = folder.path().join("runs");
    exits(&output(virtually(&playbook, &runs).arg("--controls"))?, 1)?;
    tried(&runs, false, "every promise held")
}

/// What the control of `short.yaml` sets.
const DEAD: &str = "{site.ups-a.battery.condition: open, site.ups-b.battery.condition: open}";

/// A copy of `short.yaml`, changed.
fn short(
    folder: &tempfile::TempDir,
    change: impl FnOnce(&str) -> String,
) -> Result<PathBuf, String> {
    let root = shipped("").canonicalize();
    let root = root.map_err(|error| error.to_string())?;
    let whole = text(&data("short.yaml"))?;
    let whole = whole.replace("../../../../playbooks", &root.display().to_string());
    holds(whole.contains(DEAD), || "the control is another".into())?;
    let playbook = folder.path().join("changed.yaml");
    std::fs::write(&playbook, change(&whole)).map_err(|error| error.to_string())?;
    Ok(playbook)
}

/// A virtual run of one seed is always the same, so what fails is broken or
/// depends on the seed.
fn again() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("broken");
    let mut command = virtually(&data("short.yaml"), &out);
    let done = output(command.args(["--control", "dead battery", "--again", "2"]))?;
    exits(&done, 1)?;
    let of = summary(&out)?["again"].clone();
    holds(
        of["nature"] == "broken" && of["same_seed"]["fail"] == 3 && of["other_seeds"]["fail"] == 2,
        || of.to_string(),
    )?;
    has(
        &text(&out.join("junit.xml"))?,
        &["run again: broken: with this seed 3 fail"],
    )?;
    holds(out.join("again/same-2/record.jsonl").is_file(), || {
        "the runs after the first are not kept".into()
    })?;
    // Whether a tail of latencies holds is a matter of luck here.
    let mut natures = Vec::new();
    for seed in 1..=6 {
        let out = folder.path().join(format!("tight-{seed}"));
        let mut command = virtually(&data("tight.yaml"), &out);
        let done = output(command.args(["--again", "2", "--seed", &seed.to_string()]))?;
        let of = summary(&out)?;
        let passed = of["verdict"] == "pass";
        exits(&done, if passed { 0 } else { 1 })?;
        holds(passed == of["again"].is_null(), || of["again"].to_string())?;
        if of["again"]["nature"] == "depends_on_seed" {
            return Ok(());
        }
        natures.push(of["again"]["nature"].clone());
    }
    Err(format!("no seed is told from its neighbours: {natures:?}"))
}

fn no_world() -> Result<(), String> {
    let folder = folder()?;
    let (junit, page) = (folder.path().join("j.xml"), folder.path().join("page.md"));
    let mut command = program();
    command.arg("run").arg(data("short.yaml"));
    command
        .args(["--world", "docker", "--out"])
        .arg(folder.path().join("run"));
    command
        .arg("--junit")
        .arg(&junit)
        .arg("--step-summary")
        .arg(&page);
    command
        .env("DOCKER_HOST", "unix:///nonexistent")
        .env("GITHUB_ACTIONS", "true");
    let done = output(&mut command)?;
    exits(&done, 4)?;
    has(&said(&done), &["::error title=short outage::"])?;
    has(&text(&junit)?, &["errors=\"1\"", "the run began"])?;
    has(&text(&page)?, &["### ✗ short outage: not run"])
}
