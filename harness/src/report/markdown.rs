//! A run as Markdown, for the summary page of a CI job.

use super::tables::{mark, shown_margin};
use super::told::Told;
use crate::judge::{Verdict, show_time};

/// A run in Markdown: the sentence, the promises, the faults, how to repeat it,
/// and all about each promise that did not hold.
pub fn markdown(told: &Told) -> String {
    let mut out = vec![headline(told), String::new()];
    out.push(text(&told.sentence));
    out.push(String::new());
    if let Err(why) = told.good()
        && told.expected.is_some()
    {
        out.push(format!("**Not as expected: {}.**\n", text(&why)));
    }
    if let Some(again) = &told.summary.again {
        let words = text(&again.sentence());
        out.push(format!("**Run again: {words}.**\n"));
    }
    for warning in &told.warnings {
        out.push(format!("> ⚠ {}\n", text(warning)));
    }
    promises(told, &mut out);
    faults(told, &mut out);
    details(told, &mut out);
    out.push(format!("Everything is in {}.", code(&told.folder)));
    out.push(String::new());
    out.push(fenced(&told.repeat));
    out.push(String::new());
    out.join("\n") + "\n"
}

fn headline(told: &Told) -> String {
    let summary = &told.summary;
    let (sign, word) = match (&told.expected, told.good().is_ok()) {
        (Some(expected), true) => ("✓", format!("as expected, it {}", expected.words())),
        (Some(expected), false) => ("✗", expected.words()),
        (None, _) => (
            mark(summary.verdict),
            summary.verdict.to_string().to_uppercase(),
        ),
    };
    let (title, world, seed) = (text(&told.title()), &summary.world, summary.seed);
    format!("### {sign} {title}: {word} ({world} world, seed {seed})")
}

fn promises(told: &Told, out: &mut Vec<String>) {
    if told.summary.assertions.is_empty() {
        return;
    }
    out.push("| | promise | observed | asked | margin |".into());
    out.push("| --- | --- | --- | --- | ---: |".into());
    for judged in &told.summary.assertions {
        out.push(format!(
            "| {} | {} | {} | {} | {} |",
            mark(judged.verdict),
            code(&judged.text),
            text(&judged.observed),
            text(&judged.limit),
            text(&shown_margin(judged)),
        ));
    }
    out.push(String::new());
}

fn faults(told: &Told, out: &mut Vec<String>) {
    if told.summary.faults.is_empty() {
        return;
    }
    out.push("| | fault | target | at | for | witness |".into());
    out.push("| --- | --- | --- | ---: | ---: | --- |".into());
    let time = |ms: f64| show_time((ms.max(0.0) * 1e3).round() as u64);
    for fault in &told.summary.faults {
        let witness = match &*fault.witness {
            "" => "none",
            witness => witness,
        };
        out.push(format!(
            "| {} | {} | {} | {} | {} | {} |",
            if fault.effective { "✓" } else { "?" },
            code(&fault.kind),
            text(&fault.target),
            time(fault.at_ms.requested),
            time(fault.for_ms),
            text(witness),
        ));
    }
    out.push(String::new());
}

fn details(told: &Told, out: &mut Vec<String>) {
    for (index, judged) in told.broken() {
        out.push(format!(
            "<details><summary>{} {}</summary>\n",
            mark(judged.verdict),
            html(&judged.text)
        ));
        if let Some(spot) = told.places.get(index) {
            let place = format!("{}:{}", spot.file.display(), spot.line);
            out.push(format!("- written in {}", code(&place)));
        }
        let lines = told.lines(judged);
        out.extend(lines.iter().map(|line| format!("- {}", text(line))));
        out.push("\n</details>\n".into());
    }
    if told.summary.verdict == Verdict::Invalid && told.expected.is_none() {
        out.push("<details><summary>? why this run is invalid</summary>\n".into());
        let all = told.summary.invalid.iter();
        out.extend(all.map(|why| format!("- {}", text(why))));
        out.push("\n</details>\n".into());
    }
}

/// Text that stays text, also in a cell of a table.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '@' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text inside of an HTML element.
fn html(raw: &str) -> String {
    let raw = raw.replace('&', "&amp;").replace('<', "&lt;");
    raw.replace('>', "&gt;").replace(['\n', '\r'], " ")
}

/// Code on one line, also in a cell of a table.
fn code(raw: &str) -> String {
    if raw.is_empty() {
        return String::new();
    }
    let raw = raw.replace(['\n', '\r'], " ").replace('|', "\\|");
    let (ticks, pad) = ticks(&raw, 1);
    format!("{ticks}{pad}{raw}{pad}{ticks}")
}

/// A block of code.
fn fenced(raw: &str) -> String {
    let (ticks, _) = ticks(raw, 3);
    format!("{ticks}sh\n{raw}\n{ticks}")
}

/// More backticks than stand together in a text, and the space that keeps them
/// apart from its own.
fn ticks(raw: &str, least: usize) -> (String, &'static str) {
    let runs = raw.split(|c| c != '`').map(str::len);
    let count = runs.max().map_or(least, |longest| least.max(longest + 1));
    let touches = raw.starts_with('`') || raw.ends_with('`');
    ("`".repeat(count), if touches { " " } else { "" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// No text ends a cell, a line, an element or a span of code.
        #[test]
        fn whatever_is_written_stays_in_its_cell(raw in "\\PC*|[|`<>&\\\\\n\r*_a]*") {
            for cell in [text(&raw), code(&raw)] {
                prop_assert!(!cell.contains('\n') && !cell.contains('\r'));
                let bars = cell.match_indices('|');
                for (at, _) in bars {
                    let before = &cell[..at];
                    let escapes = before.len() - before.trim_end_matches('\\').len();
                    prop_assert!(escapes % 2 == 1 || cell.starts_with('`'), "{}", cell);
                    prop_assert!(escapes >= 1, "{}", cell);
                }
            }
            prop_assert!(!text(&raw).contains('<'));
            prop_assert!(!html(&raw).contains('<'));
            let coded = code(&format!("x{raw}"));
            let fence = coded.len() - coded.trim_start_matches('`').len();
            let inner = &coded[fence..coded.len() - fence];
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() < fence.max(1)));
        }
    }
}
