//! From a replica's events to the client's: each token once, one head, one end.

use serde_json::Value;

use super::{Head, Live, Piece, Session};
use crate::service::AttemptEnd;
use crate::serving::api::{ChunkWriter, Generation, Said, SseEvent, usage};
use crate::serving::http::MAX_BODY_BYTES;
use crate::serving::tokens::parse_token;

impl Session {
    /// Takes one event: a piece, nothing, or the end of the attempt.
    pub(super) fn take(
        &mut self,
        live: &mut Live,
        event: SseEvent,
    ) -> Result<Option<Piece>, AttemptEnd> {
        let said = live.chunks.read(&event).ok_or(AttemptEnd::ErrorFrame)?;
        if said.error {
            return Err(AttemptEnd::ErrorFrame);
        }
        if said.done {
            if self.is_whole() {
                return Ok(Some(self.end()));
            }
            return Err(AttemptEnd::Eof);
        }
        if let Some(usage) = said.usage.as_ref().filter(|usage| usage.is_object()) {
            self.note_usage(usage, live.before);
        }
        let content = match &said.content {
            Some(content) => self.fresh(content)?,
            None => None,
        };
        if content.is_some() || said.content.is_some() {
            live.attempt.token();
        }
        // An end that comes too early is none: the rest is asked for elsewhere.
        let short = said.finish.as_deref() == Some("length") && self.tokens < self.most;
        if said.finish.is_some() && !short {
            self.finish = said.finish.clone();
        }
        match content {
            Some(text) => Ok(Some(self.token_piece(live, &event, &said, &text, short))),
            None if short => Err(AttemptEnd::Eof),
            None => {
                self.other(live, &event, &said);
                Ok(None)
            }
        }
    }

    /// The part of `content` that the client does not have yet. A gap is an
    /// error of the replica.
    fn fresh(&mut self, content: &str) -> Result<Option<String>, AttemptEnd> {
        let positions: Option<Vec<u32>> = content
            .split_whitespace()
            .map(|word| parse_token(word).map(|(n, _)| n))
            .collect();
        let Some(positions) = positions.filter(|positions| !positions.is_empty()) else {
            // No tokens of ours: nothing can be told from the text.
            self.tokens = self.tokens.saturating_add(1);
            self.text.push_str(content);
            return Ok(Some(content.to_string()));
        };
        let first = *self.first.get_or_insert(positions[0]);
        let mut fresh = String::new();
        for (word, n) in content.split_inclusive(' ').zip(positions) {
            let expected = first.saturating_add(self.tokens);
            if n > expected {
                return Err(AttemptEnd::ErrorFrame);
            }
            if n == expected && self.tokens < self.most {
                self.tokens += 1;
                fresh.push_str(word);
            }
        }
        self.text.push_str(&fresh);
        Ok((!fresh.is_empty()).then_some(fresh))
    }

    fn token_piece(
        &mut self,
        live: &Live,
        event: &SseEvent,
        said: &Said,
        text: &str,
        short: bool,
    ) -> Piece {
        let value = || serde_json::from_slice::<Value>(&event.data).unwrap_or_default();
        if self.head.is_none() {
            let value = value();
            self.head = Some(Head {
                id: value["id"].clone(),
                created: value["created"].clone(),
                model: value["model"].clone(),
                attempt: live.index,
            });
            self.served_by.clone_from(&live.attempt.peer.at.name);
        }
        if said.finish.is_some() && !short {
            self.finish_sent = true;
        }
        let own = self
            .head
            .as_ref()
            .is_some_and(|head| head.attempt == live.index);
        let same = said.content.as_deref() == Some(text) && !short;
        let mut data = std::mem::take(&mut self.held);
        if own && same {
            if data.is_empty() {
                return Piece::Token(event.raw.clone());
            }
            data.extend_from_slice(&event.raw);
            return Piece::Token(data.freeze());
        }
        let rewritten = self.rewrite(value(), text, short);
        data.extend_from_slice(rewritten.as_bytes());
        Piece::Token(data.freeze())
    }

    /// A chunk of a later attempt, as a chunk of this answer.
    fn rewrite(&self, mut value: Value, text: &str, short: bool) -> String {
        if let Some(head) = &self.head {
            value["id"] = head.id.clone();
            value["created"] = head.created.clone();
            value["model"] = head.model.clone();
        }
        if let Some(choice) = value
            .get_mut("choices")
            .and_then(|choices| choices.get_mut(0))
        {
            if let Some(delta) = choice.get_mut("delta").and_then(Value::as_object_mut) {
                delta.shift_remove("role");
                delta.insert("content".into(), text.into());
            } else {
                choice["text"] = text.into();
            }
            if short {
                choice["finish_reason"] = Value::Null;
            }
        }
        format!("data: {value}\n\n")
    }

    /// An event without text: held back until the next token, dropped when it
    /// belongs to a resumed attempt or ends the answer.
    fn other(&mut self, live: &Live, event: &SseEvent, said: &Said) {
        let ending = said.finish.is_some() || said.usage.is_some();
        let repeated = said.content.is_some();
        let own = self
            .head
            .as_ref()
            .is_none_or(|head| head.attempt == live.index);
        if own && !ending && !repeated && self.held.len() + event.raw.len() <= MAX_BODY_BYTES {
            self.held.extend_from_slice(&event.raw);
        }
    }

    /// Counts of an attempt that had `before` tokens in its prompt.
    fn note_usage(&mut self, counts: &Value, before: u32) {
        let prompt = counts["prompt_tokens"].as_u64().unwrap_or_default();
        let prompt = prompt.saturating_sub(before.into());
        let mut counts = counts.clone();
        let prompt = u32::try_from(prompt).unwrap_or(u32::MAX);
        if let (Some(all), Value::Object(ours)) =
            (counts.as_object_mut(), usage(prompt, self.tokens))
        {
            all.extend(ours);
        }
        self.usage = Some(counts);
    }

    pub(super) fn usage(&self) -> Value {
        if let Some(counts) = &self.usage {
            return counts.clone();
        }
        // The attempt that would have said it broke after the last token.
        let prompt =
            Generation::parse(self.call.kind, &self.call.raw).map_or(0, |g| g.prompt_tokens);
        usage(prompt, self.tokens)
    }

    /// The last events of the answer.
    pub(super) fn end(&mut self) -> Piece {
        let reason = self.finish.get_or_insert_with(|| "length".into()).clone();
        let mut out = String::new();
        if let Some(head) = &self.head {
            let chunks = ChunkWriter::new(
                self.call.kind,
                head.id.as_str().unwrap_or_default(),
                head.created.as_u64().unwrap_or_default(),
                head.model.as_str().unwrap_or_default(),
                &self.serving,
            );
            if !self.finish_sent {
                chunks.finish(&mut out, &reason);
            }
            if self.include_usage {
                chunks.usage(&mut out, &self.usage());
            }
        }
        ChunkWriter::done(&mut out);
        let mut data = std::mem::take(&mut self.held);
        data.extend_from_slice(out.as_bytes());
        Piece::End(data.freeze())
    }
}
