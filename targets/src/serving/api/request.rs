//! A request for tokens, as far as an answer depends on it.

use serde::Deserialize;

use crate::serving::http::ApiError;
use crate::serving::tokens::{Message, RequestKey, next_index, request_key, split_prompt, words};

/// Most tokens one request may ask for.
const MAX_TOKENS: u32 = 131_072;

/// Which of the two generation endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiKind {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Text,
}

impl ApiKind {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Text => "/v1/completions",
        }
    }

    pub(crate) fn from_path(path: &str) -> Option<Self> {
        [Self::Chat, Self::Text]
            .into_iter()
            .find(|kind| kind.path() == path)
    }

    /// Tokens of an answer whose length the request leaves open.
    pub(crate) fn default_tokens(self) -> u32 {
        match self {
            Self::Chat => 128,
            Self::Text => 16,
        }
    }
}

/// What is to be generated.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    pub(crate) kind: ApiKind,
    pub(crate) key: RequestKey,
    /// The first token's position: above 0 when an answer is continued.
    pub(crate) from: u32,
    /// New tokens.
    pub(crate) count: u32,
    pub(crate) prompt_tokens: u32,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    /// The model asked for.
    pub(crate) model: Option<String>,
}

#[derive(Deserialize)]
struct Common {
    model: Option<String>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    n: Option<u32>,
    seed: Option<serde_json::Number>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct ChatBody {
    #[serde(flatten)]
    common: Common,
    messages: Vec<ChatMessage>,
    #[serde(default)]
    continue_final_message: bool,
    #[serde(default)]
    add_generation_prompt: Option<bool>,
}

#[derive(Deserialize)]
struct ChatMessage {
    #[serde(flatten)]
    message: Message,
    #[serde(default)]
    prefix: bool,
}

#[derive(Deserialize)]
struct TextBody {
    #[serde(flatten)]
    common: Common,
    prompt: Prompt,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    One(String),
    Many(Vec<String>),
}

impl Common {
    /// Negative seeds are seeds too: they are taken as two's complement.
    fn seed(&self) -> Option<u64> {
        let seed = self.seed.as_ref()?;
        seed.as_u64()
            .or_else(|| seed.as_i64().map(|seed| seed as u64))
    }

    fn count(&self, kind: ApiKind) -> Result<u32, ApiError> {
        if self.n.is_some_and(|n| n != 1) {
            return Err(ApiError::bad_request("n other than 1 is not supported"));
        }
        let asked = self.max_completion_tokens.or(self.max_tokens);
        match asked.unwrap_or(kind.default_tokens()) {
            count @ 1..=MAX_TOKENS => Ok(count),
            count => Err(ApiError::bad_request(format!(
                "max_tokens is {count}; it must be 1 to {MAX_TOKENS}"
            ))),
        }
    }

    fn generation(
        self,
        kind: ApiKind,
        key: RequestKey,
        from: u32,
        prompt_tokens: u32,
    ) -> Result<Generation, ApiError> {
        Ok(Generation {
            kind,
            key,
            from,
            count: self.count(kind)?,
            prompt_tokens,
            stream: self.stream.unwrap_or(false),
            include_usage: self
                .stream_options
                .is_some_and(|options| options.include_usage),
            model: self.model,
        })
    }
}

impl Generation {
    /// Reads a request body.
    pub(crate) fn parse(kind: ApiKind, body: &[u8]) -> Result<Self, ApiError> {
        let wrong =
            |error: serde_json::Error| ApiError::bad_request(format!("bad request body: {error}"));
        match kind {
            ApiKind::Chat => chat(serde_json::from_slice(body).map_err(wrong)?),
            ApiKind::Text => text(serde_json::from_slice(body).map_err(wrong)?),
        }
    }
}

fn chat(body: ChatBody) -> Result<Generation, ApiError> {
    let seed = body.common.seed();
    let prefix = body.messages.last().is_some_and(|last| last.prefix);
    let mut messages: Vec<Message> = body.messages.into_iter().map(|m| m.message).collect();
    if messages.is_empty() {
        return Err(ApiError::bad_request("messages is empty"));
    }
    if body.continue_final_message && body.add_generation_prompt != Some(false) {
        return Err(ApiError::bad_request(
            "continue_final_message needs add_generation_prompt: false",
        ));
    }
    let prompt_tokens = messages
        .iter()
        .map(|m| words(&m.content))
        .fold(0, u32::saturating_add);
    let mut from = 0;
    if body.continue_final_message || prefix {
        // A plain trailing assistant message is history: only these two
        // dialects say that it is to be gone on with.
        match messages.pop() {
            Some(last) if last.role == "assistant" => from = next_index(&last.content),
            _ => {
                return Err(ApiError::bad_request(
                    "the final message is not the assistant's",
                ));
            }
        }
    }
    let key = request_key(&messages, seed);
    body.common
        .generation(ApiKind::Chat, key, from, prompt_tokens)
}

fn text(body: TextBody) -> Result<Generation, ApiError> {
    let prompt = match body.prompt {
        Prompt::One(prompt) => prompt,
        Prompt::Many(mut prompts) if prompts.len() == 1 => prompts.remove(0),
        Prompt::Many(_) => return Err(ApiError::bad_request("exactly one prompt is supported")),
    };
    let seed = body.common.seed();
    let (before, from) = split_prompt(&prompt, seed);
    let key = request_key(&[Message::user(before)], seed);
    // Not the words of the whole: the first token may stick to the prompt.
    let prompt_tokens = words(before).saturating_add(from);
    body.common
        .generation(ApiKind::Text, key, from, prompt_tokens)
}
