//! Cases that start nothing.

use std::path::Path;

use super::run::{data, exits, folder, holds, output, program, root, said, shipped};

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("words::help_has_examples", help_has_examples),
    ("words::usage_errors_exit_2", usage_errors),
    (
        "words::bad_playbook_exits_2_and_starts_nothing",
        bad_playbook,
    ),
    ("words::every_bad_playbook_is_told", every_bad_playbook),
    (
        "words::a_world_that_is_not_there_leaves_no_folder",
        no_world_no_folder,
    ),
    ("words::check_passes_every_shipped_playbook", check_shipped),
    ("words::lists_are_complete", lists),
    ("words::schema_is_current", schema),
    ("words::reference_is_current", reference),
    ("words::links_of_the_guide_lead_somewhere", links),
    (
        "words::unknown_control_names_those_there_are",
        unknown_control,
    ),
];

fn help_has_examples() -> Result<(), String> {
    for verb in [
        "run", "check", "plan", "list", "schema", "judge", "history", "compare", "prune",
    ] {
        let output = output(program().args([verb, "--help"]))?;
        exits(&output, 0)?;
        let text = said(&output);
        holds(
            text.contains("ridethrough ") && text.contains("Example"),
            || format!("no example in the help of {verb}:\n{text}"),
        )?;
    }
    Ok(())
}

fn usage_errors() -> Result<(), String> {
    for words in [
        vec!["fly"],
        vec!["run"],
        vec!["run", "--world", "moon", "x.yaml"],
        vec![],
    ] {
        exits(&output(program().args(&words))?, 2)?;
    }
    exits(&output(program().args(["run", "no-such-file.yaml"]))?, 2)
}

fn bad_playbook() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command
        .arg("run")
        .arg(data("bad.yaml"))
        .arg("--out")
        .arg(&out);
    let output = output(&mut command)?;
    exits(&output, 2)?;
    let text = said(&output);
    // A value, a kind, a key, a node, a time and a control, all of them at once.
    let words = [
        "bad.yaml:",
        "`quickly`",
        "utility_outage",
        "tron",
        "did you mean",
        "gpu-9",
        "until 23s, and the run ends at 3.5s",
        "no assertion `failover`",
        "6 errors",
    ];
    for wanted in words {
        holds(text.contains(wanted), || {
            format!("no {wanted:?} in:\n{text}")
        })?;
    }
    holds(!out.exists(), || "a run folder was made".into())
}

/// Two bad playbooks and a good one: both are told, and nothing starts.
fn every_bad_playbook() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command.arg("run");
    for name in ["bad.yaml", "short.yaml", "typo.yaml"] {
        command.arg(data(name));
    }
    let output = output(command.arg("--out").arg(&out))?;
    exits(&output, 2)?;
    let text = said(&output);
    for wanted in ["bad.yaml:", "6 errors", "typo.yaml:", "`20 parsecs`"] {
        holds(text.contains(wanted), || {
            format!("no {wanted:?} in:\n{text}")
        })?;
    }
    holds(!out.exists(), || "a run folder was made".into())
}

/// A world that cannot be had, in a folder of a folder that are both new, in one
/// that was there, and where nobody named a folder.
fn no_world_no_folder() -> Result<(), String> {
    let folder = folder()?;
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).map_err(|error| error.to_string())?;
    let new = folder.path().join("new/run");
    for out in [Some(&mine), Some(&new), None] {
        let mut command = program();
        command.current_dir(folder.path()).arg("run");
        command.arg(data("short.yaml")).args(["--world", "docker"]);
        command.env("DOCKER_HOST", "unix:///nonexistent");
        if let Some(out) = out {
            command.arg("--out").arg(out);
        }
        exits(&output(&mut command)?, 4)?;
    }
    let left = |path: &Path| -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(path).map_err(|error| error.to_string())?;
        let names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.map(|n| n.to_string_lossy().into_owned()).collect())
    };
    let (here, inside) = (left(folder.path())?, left(&mine)?);
    holds(here == ["mine"] && inside.is_empty(), || {
        format!("left behind: {here:?}, in `mine` {inside:?}")
    })
}

fn check_shipped() -> Result<(), String> {
    for name in [
        "power/utility-outage.yaml",
        "network/supervisor-blind.yaml",
        "node/hang.yaml",
    ] {
        exits(&output(program().arg("check").arg(shipped(name)))?, 0)?;
    }
    Ok(())
}

fn lists() -> Result<(), String> {
    let expected = [
        (
            "faults",
            vec![
                "utility_outage",
                "battery_aged",
                "power_brake",
                "link_down",
                "loss",
            ],
        ),
        (
            "assertions",
            vec!["failover", "continuity", "readmission", "detection"],
        ),
    ];
    for (what, words) in expected {
        let output = output(program().args(["list", what]))?;
        exits(&output, 0)?;
        let text = said(&output);
        for word in words {
            holds(text.contains(word), || format!("no {word} in:\n{text}"))?;
        }
    }
    let output = output(program().args(["list", "playbooks"]).arg(shipped("")))?;
    exits(&output, 0)?;
    holds(said(&output).contains("utility outage"), || said(&output))
}

/// The schema that editors use is the one that the types give.
fn schema() -> Result<(), String> {
    let output = output(program().arg("schema"))?;
    exits(&output, 0)?;
    let path = shipped("../schema/playbook.schema.json");
    let kept = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    holds(kept == String::from_utf8_lossy(&output.stdout), || {
        format!(
            "{} is old: ridethrough schema > schema/playbook.schema.json",
            path.display()
        )
    })
}

fn unknown_control() -> Result<(), String> {
    let playbook = shipped("power/utility-outage.yaml");
    let output = output(
        program()
            .arg("run")
            .arg(playbook)
            .args(["--control", "nothing"]),
    )?;
    exits(&output, 2)?;
    holds(said(&output).contains("dead battery"), || said(&output))
}

/// The reference pages of the guide are those that the types give.
fn reference() -> Result<(), String> {
    let folder = folder()?;
    let mut command = program();
    command
        .current_dir(root())
        .arg("reference")
        .arg(folder.path());
    let output = output(&mut command)?;
    exits(&output, 0)?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    holds(listed.lines().count() == 5, || listed.clone())?;
    for made in listed.lines().map(Path::new) {
        let name = made.file_name().unwrap_or_default();
        let kept = root().join("docs/reference").join(name);
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let (made, kept_text) = (read(made), read(&kept));
        holds(!made.is_empty() && made == kept_text, || {
            let path = kept.display();
            format!("{path} is old: ridethrough reference docs/reference")
        })?;
    }
    Ok(())
}

/// Every link of the guide to another file of it, and every entry of its contents.
fn links() -> Result<(), String> {
    let docs = root().join("docs");
    let mut pages = Vec::new();
    for folder in [docs.clone(), docs.join("reference")] {
        let entries = std::fs::read_dir(&folder).map_err(|error| error.to_string())?;
        let paths = entries.flatten().map(|entry| entry.path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    holds(pages.len() >= 10, || format!("only {pages:?}"))?;
    let mut dead = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).map_err(|error| error.to_string())?;
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            if file.contains("://") {
                continue;
            }
            let place = match file {
                "" => page.clone(),
                file => page.with_file_name(file),
            };
            let there = std::fs::read_to_string(&place)
                .unwrap_or_default()
                .to_lowercase();
            let heading =
                |line: &str| line.trim_start_matches('#').trim().replace(' ', "-") == anchor;
            let met =
                anchor.is_empty() || there.lines().filter(|l| l.starts_with('#')).any(heading);
            if !place.exists() || !met {
                dead.push(format!("{}: {target}", page.display()));
            }
        }
    }
    dead.dedup();
    holds(dead.is_empty(), || dead.join("\n"))
}
