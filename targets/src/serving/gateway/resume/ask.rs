//! What a replica is asked when it is to go on with an answer.

use serde_json::{Map, Value, json};

use super::Session;

impl Session {
    /// The client's request with what it already has put behind it.
    pub(super) fn request_body(&self) -> String {
        let mut body: Map<String, Value> = self.call.body.clone();
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({"include_usage": true}));
        body.remove("max_completion_tokens");
        body.insert(
            "max_tokens".into(),
            self.most.saturating_sub(self.tokens).into(),
        );
        if self.tokens > 0 {
            self.append_text(&mut body);
        }
        Value::Object(body).to_string()
    }

    fn append_text(&self, body: &mut Map<String, Value>) {
        if let Some(prompt) = body.get_mut("prompt") {
            let slot = match prompt {
                Value::Array(prompts) if prompts.len() == 1 => &mut prompts[0],
                prompt => prompt,
            };
            if let Value::String(text) = slot {
                text.push_str(&self.text);
            }
            return;
        }
        let Some(Value::Array(messages)) = body.get_mut("messages") else {
            return;
        };
        match messages.last_mut().and_then(|last| last.get_mut("content")) {
            Some(Value::String(text)) if self.continues => text.push_str(&self.text),
            _ => messages.push(json!({"role": "assistant", "content": self.text})),
        }
        body.insert("continue_final_message".into(), true.into());
        body.insert("add_generation_prompt".into(), false.into());
    }
}
