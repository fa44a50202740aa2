//! The final board: what a run came to, for people.

use owo_colors::OwoColorize;

use super::crew::CrewTimes;
use super::detectors;
use super::summary::Summary;
use super::tables::{self, WIDTH, mark};
use crate::judge::{Judgement, Verdict, sentence};
use crate::load::{Group, LedgerRow};

/// At most so many failed requests are shown one by one.
const FAILED: usize = 10;

/// The board, at most 100 columns wide. `folder` is where the run's files are;
/// colours only where `color` says so.
pub fn board(judgement: &Judgement, summary: &Summary, folder: &str, color: bool) -> String {
    let mut out = Vec::new();
    out.push(headline(summary, color));
    out.extend(wrap(&sentence(judgement), WIDTH as usize));
    if summary.verdict == Verdict::Invalid && judgement.invalid.len() > 1 {
        section(&mut out, "Why this run is invalid", color);
        for reason in &judgement.invalid {
            let lines = wrap(reason, WIDTH as usize - 2);
            let marked = lines.iter().enumerate();
            out.extend(marked.map(|(i, l)| format!("{} {l}", if i == 0 { "?" } else { " " })));
        }
    }
    if !summary.assertions.is_empty() {
        section(&mut out, "Promises", color);
        out.extend(
            tables::assertions(&summary.assertions)
                .into_iter()
                .map(|l| paint(l, color)),
        );
    }
    if !summary.faults.is_empty() {
        section(&mut out, "Faults, asked against measured", color);
        out.extend(tables::faults(summary).into_iter().map(|l| paint(l, color)));
    }
    if !summary.detectors.is_empty() {
        section(&mut out, "Who could notice a silence, and when", color);
        out.extend(detectors::table(&summary.detectors));
    }
    if !summary.crew.is_empty() {
        section(&mut out, "The crew, after each fault", color);
        out.extend(summary.crew.iter().map(crew));
    }
    if summary.requests.total > 0 {
        section(&mut out, "Requests", color);
        out.extend(tables::cohorts(summary));
        out.push(String::new());
        out.extend(tables::latency(summary));
        if let Some(by) = summary.judged_by() {
            out.push(String::new());
            out.extend(wrap(&format!("Answers judged as: {by}."), WIDTH as usize));
        }
    }
    failed(&mut out, judgement, color);
    out.push(String::new());
    out.push(format!("Everything is in {folder}"));
    out.push(String::new());
    out.join("\n")
}

fn headline(summary: &Summary, color: bool) -> String {
    let verdict = format!("{} {}", mark(summary.verdict), word(summary.verdict));
    let verdict = if color {
        match summary.verdict {
            Verdict::Pass => verdict.green().bold().to_string(),
            Verdict::Fail => verdict.red().bold().to_string(),
            Verdict::Invalid => verdict.yellow().bold().to_string(),
        }
    } else {
        verdict
    };
    format!(
        "{verdict}  {}  ({} world, seed {})",
        summary.playbook, summary.world, summary.seed
    )
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID",
    }
}

fn crew(times: &CrewTimes) -> String {
    let [noticed, decided, acted] = times.words();
    let (kind, target) = (&times.kind, &times.target);
    format!("{kind} of {target}: noticed {noticed}, decided {decided}, acted {acted}")
}

fn section(out: &mut Vec<String>, title: &str, color: bool) {
    out.push(String::new());
    out.push(if color {
        title.bold().to_string()
    } else {
        title.into()
    });
}

/// Colours the mark that begins a row of a table.
fn paint(line: String, color: bool) -> String {
    if !color {
        return line;
    }
    for (mark, painted) in [
        ("✓", "✓".green().to_string()),
        ("✗", "✗".red().to_string()),
        ("?", "?".yellow().to_string()),
    ] {
        let rest = line.trim_start();
        if let Some(after) = rest.strip_prefix(mark) {
            let indent = " ".repeat(line.len() - rest.len());
            return format!("{indent}{painted}{after}");
        }
    }
    line
}

fn failed(out: &mut Vec<String>, judgement: &Judgement, color: bool) {
    let bad = |row: &&LedgerRow| !matches!(row.group(), Group::Whole | Group::Shed);
    let rows: Vec<&LedgerRow> = judgement.facts.rows.iter().filter(bad).collect();
    if rows.is_empty() {
        return;
    }
    section(out, "Requests that failed", color);
    for row in rows.iter().take(FAILED) {
        let fate = row.fate.to_string();
        let text = format!(
            "{fate}, {} of {} tokens: {}",
            row.tokens, row.output_tokens, row.detail
        );
        let mut lines = wrap(&text, WIDTH as usize - 14).into_iter();
        out.push(format!(
            "  {:<11} {}",
            row.id,
            lines.next().unwrap_or_default()
        ));
        out.extend(lines.map(|l| format!("{:14}{l}", "")));
    }
    if rows.len() > FAILED {
        out.push(format!("  and {} more", rows.len() - FAILED));
    }
}

/// Breaks a text between words; a word longer than the width stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}
