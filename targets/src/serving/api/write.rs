//! Writing stream chunks: what does not change between tokens is rendered once.

use serde_json::{Value, json};

use super::ApiKind;
use crate::serving::tokens::{RequestKey, push_token};

/// Renders the events of one answer.
pub(crate) struct ChunkWriter {
    kind: ApiKind,
    /// `data: {..."choices":[`
    head: String,
    /// The fields that every chunk shares, with no closing brace.
    shared: String,
}

impl ChunkWriter {
    pub(crate) fn new(
        kind: ApiKind,
        id: &str,
        created_s: u64,
        model: &str,
        fingerprint: &str,
    ) -> Self {
        let object = match kind {
            ApiKind::Chat => "chat.completion.chunk",
            ApiKind::Text => "text_completion",
        };
        let mut shared = json!({
            "id": id, "object": object, "created": created_s,
            "model": model, "system_fingerprint": fingerprint,
        })
        .to_string();
        shared.pop();
        Self {
            kind,
            head: format!("data: {shared},\"choices\":["),
            shared,
        }
    }

    /// The first chunk of a chat answer; completions have none.
    pub(crate) fn role(&self, out: &mut String) {
        if self.kind == ApiKind::Chat {
            out.push_str(&self.head);
            out.push_str(r#"{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}"#);
            out.push_str("\n\n");
        }
    }

    /// A chunk with one token. Tokens hold nothing that JSON escapes.
    pub(crate) fn token(&self, out: &mut String, key: &RequestKey, n: u32) {
        out.push_str(&self.head);
        out.push_str(match self.kind {
            ApiKind::Chat => r#"{"index":0,"delta":{"content":""#,
            ApiKind::Text => r#"{"index":0,"text":""#,
        });
        push_token(out, key, n);
        out.push_str(match self.kind {
            ApiKind::Chat => r#""},"logprobs":null,"finish_reason":null}]}"#,
            ApiKind::Text => r#"","logprobs":null,"finish_reason":null}]}"#,
        });
        out.push_str("\n\n");
    }

    /// The chunk that says why the answer ended.
    pub(crate) fn finish(&self, out: &mut String, reason: &str) {
        out.push_str(&self.head);
        out.push_str(match self.kind {
            ApiKind::Chat => r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":""#,
            ApiKind::Text => r#"{"index":0,"text":"","logprobs":null,"finish_reason":""#,
        });
        out.push_str(reason);
        out.push_str("\"}]}\n\n");
    }

    /// The chunk with the counts.
    pub(crate) fn usage(&self, out: &mut String, usage: &Value) {
        out.push_str(&self.head);
        out.push_str("],\"usage\":");
        out.push_str(&usage.to_string());
        out.push_str("}\n\n");
    }

    /// The end of the stream.
    pub(crate) fn done(out: &mut String) {
        out.push_str("data: [DONE]\n\n");
    }

    /// A whole answer as one document.
    pub(crate) fn whole(&self, text: &str, reason: &str, usage: &Value) -> String {
        let (object, choice) = match self.kind {
            ApiKind::Chat => (
                "chat.completion",
                json!({"index": 0, "message": {"role": "assistant", "content": text},
                       "logprobs": null, "finish_reason": reason}),
            ),
            ApiKind::Text => (
                "text_completion",
                json!({"index": 0, "text": text, "logprobs": null, "finish_reason": reason}),
            ),
        };
        let shared = self.shared.replacen("chat.completion.chunk", object, 1);
        format!("{shared},\"choices\":[{choice}],\"usage\":{usage}}}")
    }
}

/// The counts of an answer.
pub(crate) fn usage(prompt_tokens: u32, completion_tokens: u32) -> Value {
    json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens.saturating_add(completion_tokens),
    })
}
