//! The parts of a chat completion that a witness reads, borrowed from the bytes
//! of the event where they can be.

use serde::Deserialize;
use serde_json::Value;

use ridethrough_targets::template::Text;

/// One chunk of a stream, or a whole answer: the shapes differ only in
/// `delta` and `message`. Fields that dialects send as null are optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) object: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    pub(super) system_fingerprint: Option<Text<'a>>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<Value>,
    pub(super) message: Option<Value>,
}

/// One choice; a witness asks for one only.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<Text<'a>>,
}

/// What a chunk adds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) role: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) content: Option<Text<'a>>,
}

/// How much was made.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    pub(super) completion_tokens: Option<u32>,
}

impl Chunk<'_> {
    /// The text that this chunk adds, where it says nothing else that a witness
    /// reads but from whom it is.
    pub(super) fn plain_text(&self) -> Option<&str> {
        let choice = self.choices.as_ref()?.first()?;
        let part = choice.delta.as_ref().or(choice.message.as_ref())?;
        let more = self.error.is_some()
            || self.object.as_ref().is_some_and(|o| o.0 == "error")
            || self.usage.is_some()
            || choice.finish_reason.is_some()
            || part.role.is_some();
        let text = part.content.as_ref().filter(|_| !more)?;
        (!text.0.is_empty()).then_some(&*text.0)
    }

    /// The error this chunk carries, in words. Engines send an `error` member
    /// (an object or a text), or an object of the kind `error`.
    pub(super) fn error_text(&self) -> Option<String> {
        let of_kind_error = self.object.as_ref().is_some_and(|o| o.0 == "error");
        let value = match &self.error {
            Some(error) => Some(error),
            None if of_kind_error => Some(self.message.as_ref().unwrap_or(&Value::Null)),
            None => None,
        }?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Object(map) => match map.get("message") {
                Some(Value::String(text)) => text.clone(),
                _ => value.to_string(),
            },
            _ => value.to_string(),
        };
        Some(clip(&text))
    }
}

/// The first 200 characters: details are for people.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(200).collect()
}
