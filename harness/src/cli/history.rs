//! `ridethrough history`: earlier runs, and where their margins are going.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde::Serialize;

use super::exit::Exit;
use super::main::{complain, print};
use crate::history::{
    Entry, Group, History, HistoryError, Series, Warning, groups, spark, warnings,
};
use crate::report::{amount, lines, plain};

/// The widest line.
/// The last so many margins are drawn.
const DRAWN: usize = 24;

pub(super) const EXAMPLES: &str = "\
Examples:
  ridethrough history
  ridethrough history 'utility outage' --last 50
  ridethrough history power/utility-outage.yaml --json
  ridethrough history --history nights.sqlite";

/// What `ridethrough history` takes.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Runs of this playbook only, with every margin: its name or its file.
    playbook: Option<String>,
    /// So many runs, the newest.
    #[arg(long, value_name = "N", default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The history.
    #[arg(long, value_name = "FILE", default_value = "runs/history.sqlite")]
    history: PathBuf,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Listed {
    /// Version of this format.
    schema: u32,
    runs: Vec<Entry>,
    trends: Vec<Group>,
    warnings: Vec<Warning>,
}

pub(super) fn history(args: &HistoryArgs, color: bool) -> Exit {
    match listed(args, color) {
        Ok(text) => print(&text),
        Err(message) => {
            complain(&message);
            Exit::Usage
        }
    }
}

fn listed(args: &HistoryArgs, color: bool) -> Result<String, String> {
    let said = |error: HistoryError| error.to_string();
    let history = History::open(&args.history).map_err(said)?;
    let count = args.last as usize;
    let playbook = args.playbook.as_deref();
    let runs = history.last(count, playbook).map_err(said)?;
    if let (Some(name), true) = (playbook, runs.is_empty()) {
        let names = history.playbooks().map_err(said)?.join(", ");
        let path = args.history.display();
        return Err(format!("{path} has no run of {name:?}; it has {names}"));
    }
    let groups = groups(&history.last_of_each(count, playbook).map_err(said)?);
    let warnings = warnings(&groups);
    if args.json {
        let listed = Listed {
            schema: 1,
            runs,
            trends: groups,
            warnings,
        };
        return serde_json::to_string_pretty(&listed).map_err(|error| error.to_string());
    }
    let whole = history.len().map_err(said)?;
    let mut out = vec![heading(
        &args.history.display().to_string(),
        runs.len(),
        whole,
    )];
    out.push(String::new());
    out.extend(list(&runs, color));
    // All margins of all playbooks are more than anybody reads.
    let one = playbook.is_some() || groups.len() == 1;
    if one {
        groups
            .iter()
            .for_each(|group| trends(&mut out, group, color));
    }
    for warning in &warnings {
        out.push(String::new());
        let sign = if color {
            "! ".yellow().bold().to_string()
        } else {
            "! ".into()
        };
        out.push(sign + &warning.text);
    }
    if !one {
        out.push(String::new());
        out.push("`ridethrough history PLAYBOOK` shows every margin of a playbook.".into());
    }
    Ok(out.join("\n"))
}

fn heading(path: &str, shown: usize, whole: usize) -> String {
    match (shown, whole) {
        (1, 1) => format!("{path}: 1 run"),
        (shown, whole) if shown == whole => format!("{path}: {whole} runs"),
        (shown, whole) => format!("{path}: {shown} of {whole} runs"),
    }
}

fn list(runs: &[Entry], color: bool) -> Vec<String> {
    let mut table = plain(&["", "run", "when", "playbook", "world", "seed"]);
    for run in runs.iter().rev() {
        table.add_row(vec![
            Cell::new(mark(run)),
            Cell::new(format!("#{}", run.id)).set_alignment(CellAlignment::Right),
            Cell::new(when(&run.added)),
            Cell::new(named(run)),
            Cell::new(&run.world),
            Cell::new(run.seed).set_alignment(CellAlignment::Right),
        ]);
    }
    lines(&table)
        .into_iter()
        .map(|line| paint(line, color))
        .collect()
}

/// What a run was of, and below it what else there is to know.
fn named(run: &Entry) -> String {
    let mut lines = vec![run.playbook.clone()];
    if let Some(control) = &run.control {
        lines[0] = format!("{}: {control}", run.playbook);
    }
    if let Some(expected) = &run.expected {
        let came = if run.good {
            "as it must"
        } else {
            "not as it must"
        };
        lines[0] = format!("{} ({expected}, {came})", lines[0]);
    }
    lines.extend(run.again.clone());
    if !run.good {
        lines.push(run.folder.clone());
    }
    lines.join("\n")
}

/// How a run is marked: by whether it came to what it had to.
fn mark(run: &Entry) -> &'static str {
    match (run.good, &*run.verdict) {
        (true, _) => "✓",
        (false, "invalid") => "?",
        (false, _) => "✗",
    }
}

fn paint(line: String, color: bool) -> String {
    if !color {
        return line;
    }
    line.replace('✓', &"✓".green().to_string())
        .replace('✗', &"✗".red().to_string())
}

/// A time to the minute, in UTC as it was written.
fn when(added: &str) -> String {
    match added.parse::<Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => added.into(),
    }
}

fn trends(out: &mut Vec<String>, group: &Group, color: bool) {
    out.push(String::new());
    let title = format!("Margins of {}", group.title());
    out.push(if color {
        title.bold().to_string()
    } else {
        title
    });
    let verdicts = group.verdicts.iter().map(|verdict| match &**verdict {
        "pass" => '✓',
        "fail" => '✗',
        _ => '?',
    });
    out.push(format!(" verdicts {}", verdicts.collect::<String>()));
    let mut table = plain(&["promise", "margins", "last", "a run", "sure"]);
    for series in &group.promises {
        let values = series.values();
        let drawn = &values[values.len().saturating_sub(DRAWN)..];
        let last = values.last().copied().unwrap_or(0.0);
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row(vec![
            Cell::new(&series.text),
            Cell::new(spark(drawn)),
            right(amount(last, &series.unit)),
            right(slope(series)),
            right(sure(series)),
        ]);
    }
    out.extend(lines(&table).into_iter().map(|line| paint(line, color)));
}

fn slope(series: &Series) -> String {
    match &series.trend {
        Some(trend) if trend.slope == 0.0 => "steady".into(),
        Some(trend) => amount(trend.slope, &series.unit),
        None => "–".into(),
    }
}

fn sure(series: &Series) -> String {
    let moving = series.trend.filter(|trend| trend.slope != 0.0);
    match moving {
        Some(trend) => format!("{:.0}%", (trend.sure * 100.0).floor().min(99.0)),
        None => String::new(),
    }
}
