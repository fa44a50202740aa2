//! Text from playbooks and services, made harmless.

use std::fmt::Write;

/// As text or as the value of a quoted attribute of HTML. Characters that HTML
/// cannot hold, or that turn the direction of what follows, become `�`.
pub(crate) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            '\u{2028}' | '\u{2029}' => safe.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// JSON that can stand within a script element: nothing in it ends the element
/// or opens a comment, and no line separator ends a line of script. All of these
/// stand within strings only, where an escape means the same.
pub(crate) fn script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len() + json.len() / 64);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(safe, "\\u{:04x}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{html, script};

    const HOSTILE: &str = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} \"'& <img src=x onerror=y> \u{202e}\u{0}";

    #[test]
    fn nothing_leaves_its_element() {
        let safe = html(HOSTILE);
        assert!(
            !safe.contains(['<', '>', '"', '\'', '\u{202e}', '\u{0}']),
            "{safe}"
        );
        assert!(
            safe.starts_with("&lt;/script&gt;&lt;script&gt;alert(1)"),
            "{safe}"
        );
    }

    #[test]
    fn json_stays_the_same_json() {
        let json = serde_json::to_string(HOSTILE).expect("json");
        let safe = script(&json);
        assert!(
            !safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']),
            "{safe}"
        );
        let back: String = serde_json::from_str(&safe).expect("json");
        assert_eq!(back, HOSTILE);
    }
}
