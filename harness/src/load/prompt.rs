//! The body of a request: a prompt like no other, and what is asked for.

use bytes::Bytes;
use serde::Serialize;

use super::oracle::{ChatMessage, Oracle};
use super::schedule::Planned;

const WORDS: [&str; 16] = [
    "amber", "birch", "cobalt", "dune", "ember", "fjord", "garnet", "harbour", "iris", "juniper",
    "kelp", "lichen", "maple", "nickel", "opal", "pine",
];

/// A request ready to be sent, and the oracle of its answer.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The JSON body.
    pub body: Bytes,
    /// Knows every token of the answer.
    pub oracle: Oracle,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [ChatMessage<'a>],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    max_tokens: u32,
    temperature: f32,
    seed: u64,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Prepares a request. Its prompt is named by the request's id, or by its place
/// among the recorded prompts of its load.
pub fn prepare(load: &str, id: &str, model: &str, planned: &Planned, stream: bool) -> Prepared {
    let content = match planned.prompt {
        None => prompt(id, planned),
        Some(n) => prompt(&format!("{load}-prompt-{n}"), planned),
    };
    let messages = [ChatMessage {
        role: "user",
        content: &content,
    }];
    let body = Body {
        model,
        messages: &messages,
        stream,
        stream_options: stream.then_some(StreamOptions {
            include_usage: true,
        }),
        max_tokens: planned.output_tokens,
        temperature: 0.0,
        seed: planned.seed,
    };
    Prepared {
        // Nothing in the body can fail to be written as JSON.
        body: serde_json::to_vec(&body).unwrap_or_default().into(),
        oracle: Oracle::of(&messages, Some(planned.seed)),
    }
}

/// As many words as the prompt has tokens. The first is its name, so that no
/// cache of prefixes can answer for another.
fn prompt(id: &str, planned: &Planned) -> String {
    let mut text = String::with_capacity(id.len() + planned.prompt_tokens as usize * 7);
    text.push_str(id);
    let mut state = planned.seed | 1;
    for _ in 1..planned.prompt_tokens {
        // An odd multiplier keeps the period long; the high bits are the good ones.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        text.push(' ');
        text.push_str(WORDS[(state >> 60) as usize]);
    }
    text
}

#[cfg(test)]
mod tests;
