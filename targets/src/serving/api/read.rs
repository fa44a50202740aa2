//! Reading the chunks of a stream, as far as a gateway must know them.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::SseEvent;
use crate::template::{Template, Text};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
}

/// What an event says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// Text of the answer; never empty.
    pub(crate) content: Option<String>,
    pub(crate) finish: Option<String>,
    pub(crate) usage: Option<Value>,
    pub(crate) error: bool,
    pub(crate) done: bool,
}

/// Reads the events of one stream.
#[derive(Default)]
pub(crate) struct ChunkReader {
    /// Of the last chunk that held text and nothing else to know.
    template: Option<Template>,
}

impl ChunkReader {
    /// Reads an event; `None` where its data is no chunk.
    pub(crate) fn read(&mut self, event: &SseEvent) -> Option<Said> {
        let known = self.template.as_ref().filter(|_| !event.is_error);
        let text = known.and_then(|template| template.text(&event.data));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            return Some(Said {
                content: Some(text.to_string()),
                ..Said::default()
            });
        }
        if &event.data[..] == b"[DONE]" {
            return Some(Said {
                done: true,
                ..Said::default()
            });
        }
        if event.is_error {
            return Some(Said {
                error: true,
                ..Said::default()
            });
        }
        let chunk: Chunk<'_> = serde_json::from_slice(&event.data).ok()?;
        let mut said = Said {
            usage: chunk.usage,
            error: chunk.error.is_some(),
            ..Said::default()
        };
        if let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) {
            let content = choice.delta.and_then(|delta| delta.content).or(choice.text);
            let content = content.map(|text| text.0).filter(|text| !text.is_empty());
            said.finish = choice.finish_reason.map(|reason| reason.0.into_owned());
            if let Some(text) = &content
                && (said.usage.is_none() && !said.error && said.finish.is_none())
            {
                self.template = Template::of(&event.data, text);
            }
            said.content = content.map(|text| text.into_owned());
        }
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(data: &str) -> SseEvent {
        SseEvent {
            raw: Bytes::new(),
            is_error: false,
            data: Bytes::copy_from_slice(data.as_bytes()),
        }
    }

    fn chunk(text: &str, more: &str) -> SseEvent {
        event(&format!(
            r#"{{"id":"x","choices":[{{"delta":{{"content":"{text}"}},"finish_reason":null}}]{more}}}"#
        ))
    }

    #[test]
    fn chunks_that_only_hold_text_are_learned() {
        let mut reader = ChunkReader::default();
        reader.read(&event(r#"{"choices":[{"delta":{"role":"assistant"}}]}"#));
        assert!(reader.template.is_none());
        reader.read(&chunk("one ", r#","usage":{"completion_tokens":1}"#));
        assert!(reader.template.is_none());
        reader.read(&chunk("one ", ""));
        let known = reader.template.as_ref().unwrap();
        assert_eq!(known.text(&chunk("two ", "").data), Some("two "));
        let read = reader.read(&chunk("two ", "")).unwrap();
        let content = Some("two ".to_string());
        assert_eq!(
            read,
            Said {
                content,
                ..Said::default()
            }
        );
        // What is not of the template is read as it stands.
        let read = reader.read(&chunk(r"t\u0077o", r#","error":{}"#)).unwrap();
        assert_eq!((read.content.as_deref(), read.error), (Some("two"), true));
    }
}
