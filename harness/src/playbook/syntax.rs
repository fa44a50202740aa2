//! What the YAML scanner says, in words for people.

/// What a scanner's complaint means for the person who wrote the line.
pub(crate) fn explain(info: &str, line: &str) -> (&'static str, Option<String>) {
    if line.trim_start_matches(' ').starts_with('\t') || info.contains("tab") {
        return (
            "a tab",
            Some("YAML is indented with spaces, never with tabs".into()),
        );
    }
    let opened = |open: char, close: char| line.matches(open).count() > line.matches(close).count();
    if opened('{', '}') {
        return (
            "still inside `{`",
            Some("a `{` on this line is not closed with `}`".into()),
        );
    }
    if opened('[', ']') {
        return (
            "still inside `[`",
            Some("a `[` on this line is not closed with `]`".into()),
        );
    }
    if line.matches('"').count() % 2 == 1 {
        return ("in this text", Some("a `\"` is not closed".into()));
    }
    if info.contains("flow mapping") || info.contains("flow sequence") {
        return (
            "here",
            Some("items inside `{…}` and `[…]` are separated by commas".into()),
        );
    }
    if info.contains("simple key")
        || info.contains("mapping values")
        || info.contains("expected ':'")
    {
        return (
            "up to here",
            Some("a key needs a colon and a space after it, on this line or the one above: `key: value`".into()),
        );
    }
    (
        "here",
        Some("look for indentation that does not match the lines above".into()),
    )
}

/// A scanner's complaint without its inner words.
pub(crate) fn plain(info: &str) -> String {
    let (context, complaint) = match info.split_once(", ") {
        Some((context, complaint)) if context.starts_with("while ") => (context, complaint),
        _ => ("", info),
    };
    let complaint = match complaint {
        "simple key expect ':'" | "simple key expected ':'" => "a key without `:`",
        "found unexpected end of stream" if context.contains("quoted") => {
            "the file ends inside a quoted text"
        }
        other => other.strip_prefix("did not find ").unwrap_or(other),
    };
    complaint.replace('\'', "`")
}
