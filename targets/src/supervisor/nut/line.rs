//! Lines of the protocol: words, double quotes, backslash escapes.

/// Splits a line into words. A word in double quotes may hold spaces; a
/// backslash takes the next character as it is. `None` when a quote or an
/// escape is left open, or a quote stands inside a bare word.
///
/// A word that begins with `#` starts a comment, as in NUT's own parser.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => bare(rest)?,
        };
        words.push(word);
        rest = after.trim_ascii_start();
    }
    Some(words)
}

/// Whether a text can stand in a line as the name of a device or a variable:
/// one bare word.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '#' | '@' | '=');
    !text.is_empty() && text.len() <= 256 && text.chars().all(plain)
}

/// The word up to its closing quote, and what follows.
fn quoted(mut rest: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    loop {
        let end = rest.find(['"', '\\'])?;
        word.push_str(&rest[..end]);
        let closed = rest[end..].starts_with('"');
        rest = &rest[end + 1..];
        if closed {
            break;
        }
        rest = escaped(rest, &mut word)?;
    }
    // The closing quote ends the word.
    let ended = rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace());
    ended.then_some((word, rest))
}

/// The word up to a space, and what follows.
fn bare(mut rest: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    loop {
        let special = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\\');
        let end = rest.find(special).unwrap_or(rest.len());
        word.push_str(&rest[..end]);
        rest = &rest[end..];
        if rest.starts_with('"') {
            return None;
        }
        let Some(after) = rest.strip_prefix('\\') else {
            return Some((word, rest));
        };
        rest = escaped(after, &mut word)?;
    }
}

/// Takes the character after a backslash as it is.
fn escaped<'a>(rest: &'a str, word: &mut String) -> Option<&'a str> {
    let mut chars = rest.chars();
    word.push(chars.next()?);
    Some(chars.as_str())
}

/// A value as the protocol writes it: in double quotes, `"` and `\` escaped,
/// control characters as spaces so that a value never breaks its line.
pub fn quote(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    push_quoted(&mut text, value);
    text
}

/// Writes a value as [`quote`] does to the end of a text.
pub(super) fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    let plain = |b: u8| (b' '..0x7f).contains(&b) && b != b'"' && b != b'\\';
    if value.bytes().all(plain) {
        text.push_str(value);
        text.push('"');
        return;
    }
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text.push('"');
}
