//! Forms as browsers send them, and the query of a URL, which is written alike.

use std::collections::BTreeMap;

/// Fields of one form; more than these are a mistake or worse.
const FIELDS: usize = 16;

/// The fields of `application/x-www-form-urlencoded`; nothing where it is no such
/// text. Of a field that is there twice the first counts.
pub(super) fn fields(text: &str) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if fields.len() >= FIELDS {
            return None;
        }
        fields.entry(decode(name)?).or_insert(decode(value)?);
    }
    Some(fields)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (rest.next()? as char).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn forms_are_read_and_rubbish_is_not() {
        let read = fields("text=a+b%26c%C3%A9&name=&text=later").unwrap();
        assert_eq!(read["text"], "a b&cé");
        assert_eq!(read["name"], "");
        assert!(fields("").unwrap().is_empty());
        for bad in ["a=%", "a=%4", "a=%zz", "a=%FF"] {
            assert_eq!(fields(bad), None, "{bad}");
        }
        assert_eq!(fields("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r"), None);
    }
}
