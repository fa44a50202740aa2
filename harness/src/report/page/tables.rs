//! The tables of the page, whole without any script.

use std::fmt::Write;

use super::detectors::{DETECTORS, noticed, show};
use super::escape::html;
use super::story::Story;
use crate::judge::{Judged, Judgement, RunFacts, Verdict, show_time};
use crate::load::{Group, LedgerRow};
use crate::plan::Plan;
use crate::report::summary::{ControlSummary, FaultSummary, Quantiles, Summary};
use crate::report::tables::{mark, shown_margin, values};

/// Requests that were not answered in full and are named one by one.
const NAMED: usize = 40;

/// A table with its head; `rows` are finished HTML.
pub(super) fn table(name: &str, head: &[&str], rows: &str) -> String {
    let head = head.iter().fold(String::new(), |mut all, cell| {
        let _ = write!(all, "<th scope=\"col\">{}</th>", html(cell));
        all
    });
    format!(
        "<div class=\"scroll\"><table data-table=\"{name}\">\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// A cell, and a cell of numbers.
fn cell(text: &str) -> String {
    format!("<td>{}</td>", html(text).replace('\n', "<br>"))
}

fn number(text: &str) -> String {
    format!("<td class=\"n\">{}</td>", html(text))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
    }
}

pub(super) fn verdict_cell(verdict: Verdict) -> String {
    let word = word(verdict);
    format!(
        "<td class=\"mark {word}\"><span>{}</span> {word}</td>",
        mark(verdict)
    )
}

/// How long the crew of a game day took.
pub(super) fn crew(summary: &Summary) -> String {
    let rows = summary.crew.iter().fold(String::new(), |mut rows, times| {
        let name = cell(&format!("{} of {}", times.kind, times.target));
        let words = times.words().map(|text| number(&text)).concat();
        let _ = writeln!(rows, "<tr>{name}{words}</tr>");
        rows
    });
    table("crew", &["fault", "noticed", "decided", "acted"], &rows)
}

/// What was promised, and what came of it.
pub(super) fn assertions(all: &[Judged]) -> String {
    let rows = all.iter().fold(String::new(), |mut rows, judged| {
        let evidence: Vec<String> = judged.evidence.iter().map(|e| html(e)).collect();
        let evidence = match evidence.is_empty() {
            true => String::new(),
            false => format!("<div class=\"evidence\">{}</div>", evidence.join(", ")),
        };
        let _ = writeln!(
            rows,
            "<tr>{}{}<td>{}{evidence}</td>{}{}</tr>",
            verdict_cell(judged.verdict),
            cell(&judged.text),
            html(&judged.observed),
            cell(&judged.limit),
            number(&shown_margin(judged)),
        );
        rows
    });
    table(
        "assertions",
        &["", "promise", "observed", "limit", "margin"],
        &rows,
    )
}

/// Changed copies of the playbook that must fail, with the promise that must
/// notice, and with what they came to where they were run along with it.
pub(super) fn controls(plan: &Plan, summary: &Summary) -> String {
    let ran = !summary.controls.is_empty();
    let controls = plan.playbook.controls.iter();
    let rows = controls.fold(String::new(), |mut rows, control| {
        let set: Vec<String> = control
            .set
            .iter()
            .map(|(path, to)| format!("{path} = {to}"))
            .collect();
        let came = summary.controls.iter().find(|c| c.name == control.name);
        rows.push_str("<tr>");
        if ran {
            rows.push_str(&badge(came));
        }
        let cells = [&*control.name, &*control.fails, &*set.join("\n")];
        rows.extend(cells.map(cell));
        if ran {
            rows.push_str(&cell(came.map_or("it was not run", |c| &c.came)));
        }
        rows.push_str("</tr>\n");
        rows
    });
    let head: &[&str] = match ran {
        true => &[
            "",
            "control",
            "must fail on",
            "what it changes",
            "it came to",
        ],
        false => &["control", "must fail on", "what it changes"],
    };
    let text = table("controls", head, &rows);
    match ran {
        true => text,
        false => {
            text + "<p class=\"quiet\">They were not run along with it: --controls does.</p>\n"
        }
    }
}

/// A control is good where it fails.
fn badge(came: Option<&ControlSummary>) -> String {
    let (word, text) = match came {
        Some(came) if came.good => ("pass", "caught"),
        Some(_) => ("fail", "not caught"),
        None => ("invalid", "not run"),
    };
    format!("<td><span class=\"badge {word}\">{text}</span></td>")
}

/// Faults, asked against measured.
pub(super) fn faults(summary: &Summary) -> String {
    let rows = summary
        .faults
        .iter()
        .fold(String::new(), |mut rows, fault| {
            let _ = writeln!(rows, "<tr>{}</tr>", fault_cells(fault));
            rows
        });
    let head = ["", "fault", "asked", "measured", "at", "late", "witness"];
    table("faults", &head, &rows)
}

fn fault_cells(fault: &FaultSummary) -> String {
    let ms = |ms: f64| {
        let sign = if ms < 0.0 { "−" } else { "" };
        format!("{sign}{}", show_time((ms.abs() * 1e3).round() as u64))
    };
    let verdict = if fault.effective {
        Verdict::Pass
    } else {
        Verdict::Invalid
    };
    let seen = if fault.effective { "seen" } else { "not shown" };
    let mut asked = values(&fault.requested);
    if !asked.is_empty() {
        asked.push('\n');
    }
    let witness = if fault.witness.is_empty() {
        "none"
    } else {
        &fault.witness
    };
    [
        format!(
            "<td class=\"mark {}\"><span>{}</span> {seen}</td>",
            word(verdict),
            mark(verdict)
        ),
        cell(&format!("{}\n{}", fault.kind, fault.target)),
        cell(&format!("{asked}for {}", ms(fault.for_ms))),
        cell(&values(&fault.measured)),
        number(&ms(fault.at_ms.requested)),
        number(&ms(fault.at_ms.observed - fault.at_ms.requested)),
        cell(witness),
    ]
    .concat()
}

/// When each detector noticed each fault.
pub(super) fn detectors(facts: &RunFacts) -> String {
    let rows = noticed(facts).iter().fold(String::new(), |mut rows, one| {
        let cells = one.by.iter().map(|by| {
            let said = by.as_ref().map_or("", |(_, text)| text);
            let said = format!("<div class=\"evidence\">{}</div>", html(said));
            format!("<td class=\"n\">{}{said}</td>", html(&show(by.as_ref())))
        });
        let cells: String = cells.collect();
        let _ = writeln!(rows, "<tr>{}{cells}</tr>", cell(&one.fault));
        rows
    });
    let mut head = vec!["fault"];
    head.extend(DETECTORS);
    table("detectors", &head, &rows)
}

/// What the sockets towards machines that fell silent imply, and what was measured.
pub(super) fn silences(summary: &Summary) -> String {
    let time = |ms: Option<f64>, none: &str| {
        number(&ms.map_or(none.into(), |ms| show_time((ms * 1e3).round() as u64)))
    };
    let mut rows = String::new();
    for one in &summary.detectors {
        let cells = [
            cell(&format!("{}\n{}", one.peer, one.cause)),
            cell(&one.node),
            number(&one.sockets.to_string()),
            time(one.bound_ms, "never"),
            cell(&one.by),
            time(one.noticed_ms, "–"),
        ];
        let _ = writeln!(rows, "<tr>{}</tr>", cells.concat());
    }
    let head = [
        "silence of",
        "seen from",
        "sockets",
        "kernel alone",
        "because of",
        "noticed",
    ];
    table("silences", &head, &rows)
}

/// Requests by what they had to do with the faults, and by fate.
pub(super) fn cohorts(summary: &Summary) -> String {
    let cohorts = summary.cohorts.iter().filter(|(_, c)| c.size > 0);
    let rows = cohorts.fold(String::new(), |mut rows, (name, cohort)| {
        let fates = cohort
            .by_fate
            .iter()
            .map(|(fate, n)| format!("{n} {}", fate.replace('_', " ")));
        let fates: Vec<String> = fates.collect();
        let name = cell(&name.replace('_', " "));
        let size = number(&cohort.size.to_string());
        let _ = writeln!(rows, "<tr>{name}{size}{}</tr>", cell(&fates.join(", ")));
        rows
    });
    table("cohorts", &["cohort", "requests", "by fate"], &rows)
}

/// How long answers took.
pub(super) fn latency(summary: &Summary) -> String {
    let latency = &summary.latency;
    let all = [
        ("time to first token", latency.ttft_ms),
        ("between tokens", latency.itl_ms),
        ("per output token", latency.tpot_ms),
        ("end to end", latency.e2e_ms),
    ];
    let rows = all.iter().fold(String::new(), |mut rows, (name, q)| {
        let Quantiles { p50, p90, p99, max } = *q;
        let cells = [p50, p90, p99, max]
            .map(|ms| number(&ms.map_or("–".into(), |ms| show_time((ms * 1e3).round() as u64))));
        let _ = writeln!(rows, "<tr>{}{}</tr>", cell(name), cells.concat());
        rows
    });
    table("latency", &["latency", "p50", "p90", "p99", "max"], &rows)
}

/// Requests that were not answered in full, with the hop that failed.
pub(super) fn unanswered(facts: &RunFacts) -> String {
    let bad = |row: &&LedgerRow| !matches!(row.group(), Group::Whole | Group::Shed);
    let mut bad: Vec<&LedgerRow> = facts.rows.iter().filter(bad).collect();
    if bad.is_empty() {
        return String::new();
    }
    bad.sort_by_key(|row| (row.group() != Group::Torn, row.scheduled_us));
    let origin = facts.origin_us();
    let rows = bad.iter().take(NAMED).fold(String::new(), |mut rows, row| {
        let tokens = format!("{} of {}", row.tokens, row.output_tokens);
        let sent = (row.scheduled_us as f64 - origin as f64) / 1e6;
        let cells = [
            cell(&row.id),
            cell(&row.fate.to_string().replace('_', " ")),
            number(&format!("{sent:.2} s")),
            number(&tokens),
            cell(&hop(facts, row)),
            cell(&row.detail),
        ];
        let _ = writeln!(rows, "<tr>{}</tr>", cells.concat());
        rows
    });
    let more = match bad.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("<p class=\"quiet\">and {more} more</p>\n"),
    };
    let head = [
        "request",
        "fate",
        "sent",
        "tokens",
        "where it broke",
        "seen by the client",
    ];
    format!("{}{more}", table("unanswered", &head, &rows))
}

/// The last attempt of a gateway that did not end well, else the client's own
/// connection.
fn hop(facts: &RunFacts, row: &LedgerRow) -> String {
    let bad = facts.attempts.of(&row.id).iter().rev();
    let bad = bad.map(|t| (t, super::follow::word(&t.attempt.end)));
    let bad = bad.into_iter().find(|(_, how)| how != "completed");
    match bad {
        Some((tried, how)) => {
            let how = how.replace('_', " ");
            format!("{} → {}: {how}", tried.gateway, tried.attempt.replica)
        }
        None => {
            let how = super::follow::word(&row.termination).replace('_', " ");
            format!("client's connection: {how}")
        }
    }
}

/// What happened, line by line.
pub(super) fn lines(story: &Story, facts: &RunFacts) -> String {
    let origin = facts.origin_us();
    let rows = story.lines.iter().fold(String::new(), |mut rows, line| {
        let t = (line.t_us as f64 - origin as f64) / 1e6;
        let at = format!("<td class=\"n\" data-us=\"{}\">{t:.3}</td>", line.t_us);
        let _ = writeln!(rows, "<tr>{at}{}{}</tr>", cell(&line.who), cell(&line.text));
        rows
    });
    let more = match story.untold {
        0 => String::new(),
        more => format!("<p class=\"quiet\">and {more} more in record.jsonl</p>\n"),
    };
    format!("{}{more}", table("lines", &["t [s]", "who", "what"], &rows))
}

/// Every promise with its verdict alone, for a line under the headline.
pub(super) fn invalid(judgement: &Judgement) -> String {
    if judgement.invalid.is_empty() {
        return String::new();
    }
    let reasons = judgement
        .invalid
        .iter()
        .fold(String::new(), |mut all, why| {
            let _ = writeln!(all, "<li>{}</li>", html(why));
            all
        });
    format!(
        "<div class=\"banner invalid\"><b>Why this run is invalid</b><ul>\n{reasons}</ul></div>\n"
    )
}
