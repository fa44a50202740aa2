//! JSON documents that differ from the last one in a single string.
//!
//! The chunks of a streamed answer repeat a few hundred bytes around a token of
//! ten. Whoever has read one in full knows the next: with the same bytes before
//! and after a string, a parser would take the same way to it and from it.

use std::borrow::Cow;

use serde::Deserialize;

/// Text of a document, borrowed from it unless it holds escapes. (A bare
/// `Option<Cow<str>>` never is: serde borrows it only as a field of its own.)
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The bytes around one string of a document.
#[derive(Clone, Debug)]
pub struct Template {
    /// Up to the string, its opening quote included.
    before: Box<[u8]>,
    /// From its closing quote on.
    after: Box<[u8]>,
}

impl Template {
    /// The template of a document that was read in full. `text` is the string
    /// that may change, as the parser borrowed it from `document`; `None` where
    /// it was not borrowed.
    pub fn of(document: &[u8], text: &str) -> Option<Self> {
        let start = (text.as_ptr() as usize).checked_sub(document.as_ptr() as usize)?;
        let before = document.get(..start)?;
        let after = document.get(start.checked_add(text.len())?..)?;
        let quoted = before.last() == Some(&b'"') && after.first() == Some(&b'"');
        quoted.then(|| Self {
            before: before.into(),
            after: after.into(),
        })
    }

    /// The string in another document of this template; `None` where the document
    /// is none, or has to be read in full because of what its string holds.
    pub fn text<'a>(&self, document: &'a [u8]) -> Option<&'a str> {
        let rest = document.strip_prefix(&*self.before)?;
        let text = rest.strip_suffix(&*self.after)?;
        let plain = |b: &u8| *b >= b' ' && *b != b'"' && *b != b'\\';
        if !text.iter().all(plain) {
            return None;
        }
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        content: Option<Text<'a>>,
        end: Option<u8>,
    }

    fn read(document: &str) -> Option<Document<'_>> {
        serde_json::from_str(document).ok()
    }

    fn template(document: &str) -> Option<Template> {
        let content = read(document)?.content?;
        Template::of(document.as_bytes(), &content.0)
    }

    #[test]
    fn only_the_string_may_differ() {
        let known = template(r#"{"content":"one ","end":null}"#).unwrap();
        let text = |document: &'static str| known.text(document.as_bytes());
        assert_eq!(text(r#"{"content":"two ","end":null}"#), Some("two "));
        assert_eq!(text(r#"{"content":"","end":null}"#), Some(""));
        assert_eq!(text(r#"{"content":"two ","end":1}"#), None);
        assert_eq!(text(r#"{"content":"two ","end":null} "#), None);
        assert_eq!(text(r#"{"content":"t\nwo","end":null}"#), None);
        assert_eq!(text(r#"{"content":"two","end":1,"x":"","end":null}"#), None);
        assert_eq!(text(r#"{"content":"#), None);
    }

    #[test]
    fn a_string_that_was_not_borrowed_makes_none() {
        assert!(template(r#"{"content":"a\tb","end":null}"#).is_none());
        assert!(Template::of(b"{}", "elsewhere").is_none());
    }

    proptest! {
        /// What is taken by template is what a parser reads.
        #[test]
        fn a_template_reads_as_a_parser_does(
            first in "[a-z ]{0,4}",
            then in r#"[ -~é\x00-\x1f]{0,6}"#,
            tail in r#"(","end":(null|1)\}|"\}|[" ,\\]{0,3})"#,
        ) {
            let known = template(&format!(r#"{{"content":"{first}","end":null}}"#)).unwrap();
            let document = format!(r#"{{"content":"{then}{tail}"#);
            if let Some(text) = known.text(document.as_bytes()) {
                let read = read(&document);
                prop_assert_eq!(read, Some(Document { content: Some(Text(text.into())), end: None }));
            }
        }
    }
}
