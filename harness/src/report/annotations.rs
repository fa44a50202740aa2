//! Annotations of GitHub: a line on stdout that is shown at the line of the
//! playbook where the promise stands.

use std::path::Path;

use super::told::Told;

/// GitHub shows no more of a kind in one step.
const SHOWN: usize = 10;

/// The annotations of a run, a line each: an error for each promise that did not
/// hold, a warning for each margin that shrinks. Files are told relative to
/// `root`, the folder that was checked out.
pub fn annotations(told: &Told, root: Option<&Path>) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, judged) in told.broken() {
        let mut text = told.lines(judged);
        text.extend(told.about());
        let title = format!("{}: {}", told.title(), judged.text);
        lines.push(command("error", place(told, index, root), &title, &text));
    }
    if let (Err(why), true) = (told.good(), lines.is_empty()) {
        let mut text = vec![why];
        text.extend(told.about());
        lines.push(command("error", place(told, 0, root), &told.title(), &text));
    }
    if lines.len() > SHOWN {
        let more = lines.len() + 1 - SHOWN;
        lines.truncate(SHOWN - 1);
        let text = [format!("and {more} more; {} has all", told.folder)];
        lines.push(command("error", place(told, 0, root), &told.title(), &text));
    }
    for warning in told.warnings.iter().take(SHOWN) {
        let text = [warning.clone()];
        let title = format!("{}: a margin shrinks", told.title());
        lines.push(command("warning", place(told, 0, root), &title, &text));
    }
    lines
}

/// One error that is no broken promise, at a file and line if it has any.
pub fn problem(place: Option<(String, usize)>, title: &str, text: &str) -> String {
    command("error", place, title, &[text.to_string()])
}

fn place(told: &Told, index: usize, root: Option<&Path>) -> Option<(String, usize)> {
    let spot = told.places.get(index)?;
    Some((spot.below(root), spot.line))
}

fn command(kind: &str, place: Option<(String, usize)>, title: &str, text: &[String]) -> String {
    let mut properties = Vec::new();
    if let Some((file, line)) = place {
        properties.push(format!("file={}", property(&file)));
        properties.push(format!("line={line}"));
    }
    properties.push(format!("title={}", property(title)));
    format!(
        "::{kind} {}::{}",
        properties.join(","),
        data(&text.join("\n"))
    )
}

/// What follows the second `::`.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// A value before it, where `:` and `,` separate.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What GitHub makes of it.
    fn unescape(text: &str) -> String {
        let pairs = [
            ("%2C", ","),
            ("%3A", ":"),
            ("%0A", "\n"),
            ("%0D", "\r"),
            ("%25", "%"),
        ];
        let each = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        pairs.iter().fold(text.to_string(), each)
    }

    proptest! {
        /// Nothing in a text ends the line, the value or the property.
        #[test]
        fn whatever_is_written_arrives(title in "\\PC*|[%:,\r\n0-9A-F]*", text in "\\PC*|[%:,\r\n0-9A-F]*") {
            let line = command("error", Some(("a,b:c.yaml".into(), 3)), &title, std::slice::from_ref(&text));
            prop_assert!(!line.contains('\n') && !line.contains('\r'));
            let rest = line.strip_prefix("::error ").expect("a command");
            let (properties, data) = rest.split_once("::").expect("two parts");
            prop_assert_eq!(unescape(data), text);
            let all: Vec<(&str, &str)> =
                properties.split(',').filter_map(|p| p.split_once('=')).collect();
            prop_assert_eq!(all.len(), 3);
            prop_assert_eq!(unescape(all[0].1), "a,b:c.yaml");
            prop_assert_eq!(unescape(all[2].1), title);
        }
    }
}
