//! Reading the chunks of a stream, as far as a gateway must know them.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::SseEvent;
use crate::template::Template;

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
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
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
            let content = content.filter(|text| !text.is_empty());
            said.finish = choice.finish_reason.map(Cow::into_owned);
            if let Some(text) = &content
                && (said.usage.is_none() && !said.error && said.finish.is_none())
            {
                self.template = Template::of(&event.data, text);
            }
            said.content = content.map(Cow::into_owned);
        }
        Some(said)
    }
}
