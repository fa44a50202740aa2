//! Reading the chunks of a stream, as far as a gateway must know them.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::SseEvent;

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

impl Said {
    /// Reads an event; `None` where its data is no chunk.
    pub(crate) fn read(event: &SseEvent) -> Option<Self> {
        if &event.data[..] == b"[DONE]" {
            return Some(Self {
                done: true,
                ..Self::default()
            });
        }
        if event.is_error {
            return Some(Self {
                error: true,
                ..Self::default()
            });
        }
        let chunk: Chunk<'_> = serde_json::from_slice(&event.data).ok()?;
        let mut said = Self {
            usage: chunk.usage,
            error: chunk.error.is_some(),
            ..Self::default()
        };
        if let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) {
            let content = choice.delta.and_then(|delta| delta.content).or(choice.text);
            said.content = content.filter(|text| !text.is_empty()).map(Cow::into_owned);
            said.finish = choice.finish_reason.map(Cow::into_owned);
        }
        Some(said)
    }
}
