//! Writing an answer as it is made.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::bad::{Act, STALL, act};
use super::metrics::Metrics;
use super::scheduler::Ticket;
use crate::serving::api::{ChunkWriter, Generation, usage};
use crate::serving::config::{KnownBad, ReplicaConfig};
use crate::serving::http::{ApiError, BodyWriter};
use crate::serving::tokens::answer;

/// One answer in the making.
pub(super) struct Answer {
    pub(super) config: Arc<ReplicaConfig>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) generation: Generation,
    pub(super) chunks: ChunkWriter,
    pub(super) ticket: Ticket,
    pub(super) arrived: Instant,
    pub(super) finished: bool,
    pub(super) probe: bool,
}

/// How a stream goes on after a token.
enum Step {
    On,
    End,
    Abort,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.probe {
            let count = if self.finished {
                &self.metrics.finished_length
            } else {
                &self.metrics.finished_abort
            };
            count.fetch_add(1, Ordering::Relaxed);
            self.metrics.end_to_end.observe(self.arrived.elapsed());
        }
    }
}

impl Answer {
    /// Waits until there are more than `have` tokens.
    async fn more(&mut self, have: u32, last: &mut Instant) -> u32 {
        // The sender lives until the last token is made.
        let _ = self.ticket.progress.wait_for(|made| *made > have).await;
        let made = *self.ticket.progress.borrow();
        if self.probe || made <= have {
            return made;
        }
        let now = Instant::now();
        let gap = now.saturating_duration_since(std::mem::replace(last, now));
        let histogram = if have == 0 {
            &self.metrics.time_to_first_token
        } else {
            &self.metrics.inter_token
        };
        histogram.observe(gap);
        self.metrics
            .generation_tokens
            .fetch_add(u64::from(made - have), Ordering::Relaxed);
        made
    }

    /// Waits for all tokens and returns the document.
    pub(super) async fn whole(mut self) -> String {
        let count = self.generation.count;
        let mut last = self.arrived;
        let mut have = 0;
        while have < count {
            let made = self.more(have, &mut last).await;
            if made <= have {
                break;
            }
            have = made;
        }
        self.finished = true;
        let text = answer(&self.generation.key, self.generation.from, count);
        self.chunks.whole(
            &text,
            "length",
            &usage(self.generation.prompt_tokens, count),
        )
    }

    /// Writes the stream, each token as soon as it is made.
    pub(super) async fn stream(mut self, writer: BodyWriter) {
        let mut out = String::with_capacity(512);
        if !matches!(
            self.config.known_bad,
            Some(KnownBad::DoneOnly | KnownBad::ErrorOnly)
        ) {
            self.chunks.role(&mut out);
            writer.send(std::mem::take(&mut out)).await;
        }
        let mut last = self.arrived;
        let mut have = 0;
        while have < self.generation.count {
            let made = self.more(have, &mut last).await;
            if made <= have {
                // The accelerator gave the request up.
                return writer.abort();
            }
            for k in have..made {
                match self.token(&mut out, &writer, k).await {
                    Step::On => {}
                    Step::End => return,
                    Step::Abort => return writer.abort(),
                }
            }
            have = made;
            writer.send(out.clone()).await;
            out.clear();
        }
        self.finish(&mut out, have);
        writer.send(out).await;
    }

    fn finish(&mut self, out: &mut String, tokens: u32) {
        self.finished = true;
        if self.config.known_bad != Some(KnownBad::NoFinish) {
            self.chunks.finish(out, "length");
        }
        if self.generation.include_usage {
            self.chunks
                .usage(out, &usage(self.generation.prompt_tokens, tokens));
        }
        ChunkWriter::done(out);
    }

    /// Writes token `k` of this stream, or what a fault makes of it; says
    /// how the stream goes on.
    async fn token(&mut self, out: &mut String, writer: &BodyWriter, k: u32) -> Step {
        let key = self.generation.key;
        let from = self.generation.from;
        let n = from.saturating_add(k);
        match act(&self.config, k) {
            Act::Token => self.chunks.token(out, &key, n),
            Act::Foreign => self.chunks.token(out, &key.foreign(), n),
            Act::Skip => {}
            Act::Twice => {
                self.chunks.token(out, &key, n.saturating_sub(1));
                self.chunks.token(out, &key, n);
            }
            Act::Again => {
                for again in from..=n {
                    self.chunks.token(out, &key, again);
                }
            }
            Act::Stall => {
                writer.send(std::mem::take(out)).await;
                tokio::time::sleep(STALL).await;
                self.chunks.token(out, &key, n);
            }
            Act::Split => self.split(out, n),
            ending => {
                self.ending(out, ending, k);
                if !out.is_empty() {
                    writer.send(std::mem::take(out)).await;
                }
                return if ending == Act::Abort {
                    Step::Abort
                } else {
                    Step::End
                };
            }
        }
        Step::On
    }

    fn split(&self, out: &mut String, n: u32) {
        let mut whole = String::new();
        self.chunks.token(&mut whole, &self.generation.key, n);
        let (first, second) = whole.split_at(whole.len() / 2);
        out.push_str(first);
        out.push_str("\n\ndata: ");
        out.push_str(second);
    }

    fn ending(&mut self, out: &mut String, ending: Act, tokens: u32) {
        let error = ApiError {
            status: hyper::StatusCode::INTERNAL_SERVER_ERROR,
            message: "the engine died".into(),
            retry_after_s: None,
        };
        let data = format!("data: {}\n\n", error.document());
        match ending {
            Act::ErrorThenDone => {
                out.push_str(&data);
                ChunkWriter::done(out);
            }
            Act::Error => out.push_str(&data),
            Act::EventError => {
                out.push_str("event: error\n");
                out.push_str(&data);
            }
            Act::Done => ChunkWriter::done(out),
            Act::Finish => self.finish(out, tokens),
            _ => {}
        }
    }
}
