//! Runs that are remembered, compared and thrown away.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::run::{data, exits, folder, holds, output, program, said};

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("history::runs_are_listed_with_their_margins", listed),
    ("history::runs_side_by_side_are_all_there", side_by_side),
    (
        "history::a_history_that_cannot_be_used_costs_no_run",
        unusable,
    ),
    ("history::who_names_a_folder_gets_no_history", named_folder),
    ("history::two_runs_are_compared", compared),
    (
        "history::old_runs_go_and_their_records_can_be_judged",
        pruned,
    ),
    ("history::a_newer_record_is_refused_by_name", newer),
    ("history::a_torn_record_is_judged_and_marked", torn),
];

/// A run of a playbook in `runs/` of a folder.
fn run(here: &Path, seed: &str, more: &[&str]) -> Command {
    let mut command = program();
    command.current_dir(here).arg("run");
    command.arg(data("short.yaml").canonicalize().unwrap_or_default());
    command
        .args(["--world", "virtual", "--seed", seed])
        .args(more);
    command
}

fn verb(here: &Path, words: &[&str], code: i32) -> Result<String, String> {
    let mut command = program();
    let done = output(command.current_dir(here).args(words))?;
    exits(&done, code)?;
    Ok(said(&done))
}

fn has(text: &str, words: &[&str]) -> Result<(), String> {
    for word in words {
        holds(text.contains(word), || format!("no {word:?} in:\n{text}"))?;
    }
    Ok(())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}

fn listed() -> Result<(), String> {
    let folder = folder()?;
    let here = folder.path();
    has(
        &verb(here, &["history"], 2)?,
        &["no history at runs/history.sqlite"],
    )?;
    for seed in ["1", "2", "3"] {
        exits(&output(&mut run(here, seed, &[]))?, 0)?;
    }
    exits(
        &output(&mut run(here, "1", &["--control", "dead battery"]))?,
        1,
    )?;
    let text = verb(here, &["history", "short outage"], 0)?;
    let words = [
        "4 runs",
        "#4",
        "short outage: dead battery",
        "Margins of short outage (virtual world)",
        "steady",
    ];
    has(&text, &words)?;
    holds(verb(here, &["history", "short"], 0)? == text, || {
        "by its file it is another".into()
    })?;
    let all = json(&verb(here, &["history", "--json", "--last", "2"], 0)?)?;
    holds(
        all["runs"].as_array().is_some_and(|runs| runs.len() == 2)
            && all["runs"][1]["control"] == "dead battery"
            && all["trends"][0]["promises"][0]["unit"] == "ms",
        || all.to_string(),
    )?;
    has(
        &verb(here, &["history", "nothing"], 2)?,
        &["it has short outage"],
    )?;
    exits(&output(program().args(["history", "--last", "0"]))?, 2)
}

/// Eight programs at once, one history, which none of them had made before.
fn side_by_side() -> Result<(), String> {
    let folder = folder()?;
    let mut children = Vec::new();
    for seed in 1..=8 {
        let mut command = run(folder.path(), &seed.to_string(), &[]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        children.push(command.spawn().map_err(|error| error.to_string())?);
    }
    for child in children {
        let done = child
            .wait_with_output()
            .map_err(|error| error.to_string())?;
        exits(&done, 0)?;
        holds(!said(&done).contains("not in the history"), || said(&done))?;
    }
    has(&verb(folder.path(), &["history"], 0)?, &["8 runs"])
}

/// Damaged, newer, of something else, not to be written: a warning, and the run
/// is as good as ever.
fn unusable() -> Result<(), String> {
    let folder = folder()?;
    let here = folder.path();
    let bad = here.join("bad.sqlite");
    std::fs::write(&bad, "this is no database, and was never one. ".repeat(200))
        .map_err(|e| e.to_string())?;
    let before = std::fs::read(&bad).map_err(|e| e.to_string())?;
    for (name, why) in [("bad.sqlite", "not a database"), ("bad.sqlite/x", "x")] {
        let done = output(&mut run(here, "1", &["--history", name]))?;
        exits(&done, 0)?;
        has(
            &said(&done),
            &["✓ PASS", "warning: this run is not in the history", why],
        )?;
    }
    holds(std::fs::read(&bad).ok() == Some(before), || {
        "the file was changed".into()
    })?;
    has(
        &verb(here, &["history", "--history", "bad.sqlite"], 2)?,
        &["bad.sqlite"],
    )
}

fn named_folder() -> Result<(), String> {
    let folder = folder()?;
    let here = folder.path();
    exits(&output(&mut run(here, "1", &["--out", "mine/one"]))?, 0)?;
    exits(&output(&mut run(here, "1", &["--no-history"]))?, 0)?;
    let any =
        here.join("mine/history.sqlite").exists() || here.join("runs/history.sqlite").exists();
    holds(!any, || "a history nobody asked for".into())?;
    exits(
        &output(&mut run(
            here,
            "1",
            &["--out", "mine/two", "--history", "h.sqlite"],
        ))?,
        0,
    )?;
    has(
        &verb(here, &["history", "--history", "h.sqlite"], 0)?,
        &["1 run"],
    )
}

fn compared() -> Result<(), String> {
    let folder = folder()?;
    let here = folder.path();
    exits(
        &output(&mut run(
            here,
            "1",
            &["--out", "a", "--history", "h.sqlite"],
        ))?,
        0,
    )?;
    let dead = [
        "--control",
        "dead battery",
        "--out",
        "b",
        "--history",
        "h.sqlite",
    ];
    exits(&output(&mut run(here, "1", &dead))?, 1)?;
    has(
        &verb(here, &["compare", "a", "a"], 0)?,
        &["Nothing got worse (by more than 10%"],
    )?;
    has(
        &verb(here, &["compare", "a", "b"], 1)?,
        &[
            "the verdict: pass to fail",
            "✗ battery carries",
            "more than 10%",
        ],
    )?;
    // Back again nothing is worse, and numbers name the same runs as folders.
    verb(here, &["compare", "b", "a"], 0)?;
    std::fs::remove_dir_all(here.join("b")).map_err(|error| error.to_string())?;
    let both = ["compare", "a", "#2", "--history", "h.sqlite", "--json"];
    let of = json(&verb(here, &both, 1)?)?;
    holds(
        of["b"]["verdict"] == "fail" && of["threshold"] == 0.1,
        || of.to_string(),
    )?;
    has(
        &verb(here, &["compare", "a", "#9", "--history", "h.sqlite"], 2)?,
        &["no run \"#9\""],
    )?;
    has(
        &verb(here, &["compare", "a", "nothing"], 2)?,
        &["no run \"nothing\""],
    )?;
    verb(here, &["compare", "a", "a", "--threshold", "-1"], 2)?;
    Ok(())
}

fn runs_in(here: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(here.join("runs")).map_err(|error| error.to_string())?;
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    Ok(all)
}

fn pruned() -> Result<(), String> {
    let folder = folder()?;
    let here = folder.path();
    exits(
        &output(&mut run(here, "9", &["--control", "dead battery"]))?,
        1,
    )?;
    for seed in ["1", "2", "3", "4"] {
        exits(&output(&mut run(here, seed, &[]))?, 0)?;
    }
    // Nobody's runs, and a link that leads out.
    let mine = here.join("runs/mine");
    std::fs::create_dir(&mine).map_err(|error| error.to_string())?;
    std::fs::write(mine.join("record.jsonl"), "my own").map_err(|error| error.to_string())?;
    has(&verb(here, &["prune"], 2)?, &["--keep"])?;
    let dry = verb(
        here,
        &["prune", "--keep", "2", "--plain", "1", "--dry-run"],
        0,
    )?;
    has(
        &dry,
        &[
            "2 runs to remove",
            "the last that failed",
            "left runs/mine alone",
        ],
    )?;
    holds(runs_in(here)?.len() == 6, || "something was removed".into())?;
    let done = verb(here, &["prune", "--keep", "2", "--plain", "1"], 0)?;
    has(&done, &["2 runs removed, 2 runs compressed, 3 runs left"])?;
    let left = runs_in(here)?;
    holds(
        left.len() == 4 && mine.join("record.jsonl").exists(),
        || format!("{left:?}"),
    )?;
    let packed: Vec<_> = left
        .iter()
        .filter(|run| run.join("record.jsonl.gz").exists())
        .collect();
    holds(packed.len() == 2, || format!("{packed:?}"))?;
    // What was compressed is judged as before, also by other promises.
    let (mut passed, mut failed) = (0, 0);
    for run in packed {
        let done = output(program().arg("judge").arg(run))?;
        match done.status.code() {
            Some(0) => passed += 1,
            Some(1) => failed += 1,
            other => return Err(format!("{other:?}: {}", said(&done))),
        }
        let by = output(
            program()
                .arg("judge")
                .arg(run)
                .arg("--playbook")
                .arg(data("tight.yaml")),
        )?;
        has(&said(&by), &["time to first token"])?;
        verb(here, &["report", &run.display().to_string()], 0)?;
    }
    holds((passed, failed) == (1, 1), || {
        format!("{passed} and {failed}")
    })?;
    // The history still has all of them.
    has(&verb(here, &["history"], 0)?, &["5 runs"])?;
    verb(here, &["prune", "--keep", "0", "--failing-too"], 0)?;
    holds(runs_in(here)? == [mine], || "not all are gone".into())
}

/// A run that is there, and its record's text.
fn record(here: &Path) -> Result<(PathBuf, String), String> {
    exits(&output(&mut run(here, "1", &["--out", "one"]))?, 0)?;
    let path = here.join("one/record.jsonl");
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    Ok((path, text))
}

fn newer() -> Result<(), String> {
    let folder = folder()?;
    let (path, text) = record(folder.path())?;
    let text = text.replacen("\"schema\":1", "\"schema\":2", 1);
    std::fs::write(path, text).map_err(|error| error.to_string())?;
    let said = verb(folder.path(), &["judge", "one"], 2)?;
    has(
        &said,
        &["schema 2", "this ridethrough reads schemas up to 1"],
    )
}

fn torn() -> Result<(), String> {
    let folder = folder()?;
    let (path, text) = record(folder.path())?;
    std::fs::write(path, &text[..text.len() * 3 / 4]).map_err(|error| error.to_string())?;
    let said = verb(folder.path(), &["judge", "one"], 3)?;
    has(&said, &["? INVALID", "the record is torn", "Promises"])
}
