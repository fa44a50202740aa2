//! Lines of the protocol: words, double quotes, backslash escapes.

/// Splits a line into words. A word in double quotes may hold spaces; a
/// backslash takes the next character as it is. `None` when a quote or an
/// escape is left open, or a quote stands inside a bare word.
///
/// A word that begins with `#` starts a comment, as in NUT's own parser.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(words),
            Some('"') => {
                chars.next();
                words.push(quoted(&mut chars)?);
                // The closing quote ends the word.
                if chars.peek().is_some_and(|c| !c.is_ascii_whitespace()) {
                    return None;
                }
            }
            Some(_) => words.push(bare(&mut chars)?),
        }
    }
}

/// Whether a text can stand in a line as the name of a device or a variable:
/// one bare word.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '#' | '@' | '=');
    !text.is_empty() && text.len() <= 256 && text.chars().all(plain)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn quoted(chars: &mut Chars<'_>) -> Option<String> {
    let mut word = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(word),
            '\\' => word.push(chars.next()?),
            c => word.push(c),
        }
    }
}

fn bare(chars: &mut Chars<'_>) -> Option<String> {
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace()) {
        match c {
            '"' => return None,
            '\\' => word.push(chars.next()?),
            c => word.push(c),
        }
    }
    Some(word)
}

/// A value as the protocol writes it: in double quotes, `"` and `\` escaped,
/// control characters as spaces so that a value never breaks its line.
pub fn quote(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
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
    text
}
