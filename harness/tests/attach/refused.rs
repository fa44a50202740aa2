//! What cannot be attached is told before anything is touched.

use super::Case;
use super::project::{Project, output};
use super::state::State;

pub(crate) const CASES: &[Case] = &[
    ("attach::a_project_that_is_not_there_is_told", nowhere),
    ("attach::a_network_of_the_host_is_told", host_network),
    ("attach::containers_in_no_rack_are_told", no_rack),
    ("attach::what_cannot_be_done_to_others_is_told", inside),
];

const CALM: &str = "phases: {all: 2s}\nassert:\n  - continuity: {lost: 0}\n";

/// A run that is refused, in these words.
fn refused(project: &Project, rest: &str, words: &[&str]) -> Result<(), String> {
    let playbook = project.playbook(rest)?;
    told(project, &playbook, words)
}

fn told(project: &Project, playbook: &std::path::Path, words: &[&str]) -> Result<(), String> {
    let ended = output(&mut project.run(playbook))?;
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.code() != Some(2) {
        return Err(format!("it ended with {}: {text}", ended.status));
    }
    let flat = text.replace('│', " ");
    let flat: String = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        if !flat.contains(word) {
            return Err(format!("no {word:?} in:\n{text}"));
        }
    }
    match project.out().exists() {
        true => Err("a run folder is left".into()),
        false => Ok(()),
    }
}

fn nowhere() -> Result<(), String> {
    let project = Project::up("there", "")?;
    let path = project.playbook(CALM)?;
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let text = text.replace(&format!("compose: {}", project.name), "compose: nobody");
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    let others = &project.name;
    let words = [
        "no Compose project `nobody` runs in this engine",
        others,
        "docker compose up -d",
    ];
    told(&project, &path, &words)
}

fn host_network() -> Result<(), String> {
    let project = Project::up("host", "    network_mode: host\n")?;
    let before = State::of(&project)?;
    refused(
        &project,
        CALM,
        &["`network_mode: host`", "no cable of its own"],
    )?;
    before.is_but_for(&State::of(&project)?, &[])
}

fn no_rack() -> Result<(), String> {
    let project = Project::up(
        "rack",
        "  other:\n    image: IMAGE\n    command: [serve, replica]\n",
    )?;
    refused(
        &project,
        CALM,
        &[
            "container `other` of project",
            "is in no rack",
            "label it `ridethrough.rack`",
            "playbook.yaml:3:",
        ],
    )
}

fn inside() -> Result<(), String> {
    let project = Project::up("inside", "")?;
    let before = State::of(&project)?;
    let rest = "phases: {all: 2s}\nfaults:\n  - inject: {memory_pressure: {target: {node: gpu-1}, leave: 64MiB}}\n    during: all\nassert:\n  - continuity: {lost: 0}\n";
    refused(
        &project,
        rest,
        &[
            "somebody else's",
            "power, hang and network faults can be had there",
        ],
    )?;
    before.is_but_for(&State::of(&project)?, &[])
}
