//! The writers as a service of the clients' node.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::{Env, FromService, Notice, ServiceError, ToService, spawn_in};
use ridethrough_targets::units::Span;

use super::exchange::Journal;
use super::row::{ReadBack, WriteOutcome, WriteRow};
use crate::load::LedgerWord;
use crate::playbook::WriterSpec;

/// Between two looks for a journal that cannot be reached.
const AGAIN: Duration = Duration::from_millis(100);

/// Records that are read back at one time.
const READS: usize = 16;

/// The longest wait for one record that is read back.
const READ_PATIENCE: Duration = Duration::from_secs(2);

/// What the service is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriterConfig {
    /// The writers.
    pub writers: Vec<WriterTask>,
    /// The run time at which they begin.
    pub start_us: Micros,
    /// How long they write.
    pub duration: Span,
    /// How long after that they may read back.
    pub drain: Span,
}

/// A writer, and where its journal is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriterTask {
    /// The writer, as it was written.
    pub spec: WriterSpec,
    /// The journal's host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// The content of a write: it follows from the seed, the writer and the index,
/// and from no two alike, so that what is read back is exactly it or is not.
pub fn payload(seed: u64, writer: &str, index: u32, len: usize) -> Vec<u8> {
    let mut bytes = format!("{writer}-{index} ").into_bytes();
    let mut block = 0_u32;
    while bytes.len() < len {
        let digest = Sha256::new()
            .chain_update(seed.to_be_bytes())
            .chain_update(writer.as_bytes())
            .chain_update(index.to_be_bytes())
            .chain_update(block.to_be_bytes())
            .finalize();
        bytes.extend(digest.iter());
        block += 1;
    }
    bytes.truncate(len.max(format!("{writer}-{index} ").len()));
    bytes
}

/// Runs every writer of `config`, and says a row for each write and then what
/// was read back.
///
/// # Errors
/// None of its own: what a journal does is told, not failed on.
pub async fn run_writer(env: Env, config: WriterConfig) -> Result<(), ServiceError> {
    let mut panel = env.panel;
    let closed = Arc::new(Notice::new(false));
    let mut running = JoinSet::new();
    for task in config.writers {
        let writer = Writer {
            journal: Journal {
                net: Arc::clone(&env.net),
                clock: env.clock,
                host: task.host,
                port: task.port,
            },
            spec: task.spec,
            seed: env.seed,
            voice: panel.voice(),
            closed: Arc::clone(&closed),
        };
        let end_us = config.start_us + config.duration.micros();
        let last_us = end_us + config.drain.micros();
        let (start, last) = (
            env.clock.instant(config.start_us),
            env.clock.instant(last_us),
        );
        spawn_in(&mut running, writer.run(start, config.duration, last));
    }
    panel.say(FromService::Ready {
        t_us: env.clock.now_us(),
    });
    loop {
        tokio::select! {
            biased;
            word = panel.inbox.recv() => {
                if matches!(word, None | Some(ToService::Stop)) {
                    closed.set(true);
                    break;
                }
            }
            over = running.join_next() => {
                if over.is_none() {
                    return Ok(());
                }
            }
        }
    }
    // A run that is stopped waits for nothing that is not on its way.
    let all = async { while running.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(READ_PATIENCE, all).await;
    Ok(())
}

struct Writer {
    journal: Journal,
    spec: WriterSpec,
    seed: u64,
    voice: mpsc::UnboundedSender<FromService>,
    /// Turns true when the run is stopped.
    closed: Arc<Notice<bool>>,
}

impl Writer {
    fn payload(&self, index: u32) -> Bytes {
        let spec = &self.spec;
        payload(self.seed, &spec.name, index, spec.payload.get() as usize).into()
    }

    fn say(&self, word: &LedgerWord) {
        let _ = self.voice.send(FromService::Ledger(word.to_value()));
    }

    async fn run(self, start: Instant, duration: Span, last: Instant) {
        let writer = Arc::new(self);
        let gap = Duration::from_secs_f64(1.0 / writer.spec.rate.get());
        let planned = (duration.secs_f64() * writer.spec.rate.get()).floor() as u32;
        let mut writes = JoinSet::new();
        let mut acknowledged = Vec::new();
        let mut sent = 0;
        for index in 0..planned {
            let due = start + gap * index;
            tokio::select! {
                biased;
                _ = writer.closed.wait_for(|closed| closed) => break,
                () = sleep_until(due) => {}
            }
            sent += 1;
            spawn_in(&mut writes, Arc::clone(&writer).write(index));
            // What is over is let go as we go: nothing may pile up.
            while let Some(written) = writes.try_join_next() {
                acknowledged.extend(written.ok().flatten());
            }
        }
        while let Some(written) = writes.join_next().await {
            acknowledged.extend(written.ok().flatten());
        }
        acknowledged.sort_unstable();
        tokio::select! {
            biased;
            _ = writer.closed.wait_for(|closed| closed) => return,
            () = sleep_until(start + duration.duration()) => {}
        }
        let found = writer.read_back(&acknowledged, last).await;
        writer.say(&LedgerWord::ReadBack(ReadBack {
            planned,
            sent,
            ..found
        }));
    }

    /// One write; its index and number where it was acknowledged.
    async fn write(self: Arc<Self>, index: u32) -> Option<(u32, u64)> {
        let clock = self.journal.clock;
        let sent_us = clock.now_us();
        let patience = self.spec.timeout.duration();
        let answer = self
            .journal
            .ask(Method::POST, "/records", self.payload(index), patience)
            .await;
        let outcome = match answer {
            Ok((StatusCode::OK, body)) => match sequence(&body) {
                Some(sequence) => WriteOutcome::Acknowledged { sequence },
                None => WriteOutcome::Unknown {
                    why: "an answer without a number".into(),
                },
            },
            Ok((status, _)) => WriteOutcome::Refused {
                status: status.as_u16(),
            },
            Err(why) => WriteOutcome::Unknown { why },
        };
        let number = match &outcome {
            WriteOutcome::Acknowledged { sequence } => Some((index, *sequence)),
            _ => None,
        };
        self.say(&LedgerWord::Write(WriteRow {
            writer: self.spec.name.clone(),
            service: self.spec.service.clone(),
            index,
            sent_us,
            end_us: clock.now_us(),
            outcome,
        }));
        number
    }

    /// Reads every acknowledged write, waiting for a journal that is not there
    /// yet until `last`.
    async fn read_back(self: &Arc<Self>, acknowledged: &[(u32, u64)], last: Instant) -> ReadBack {
        let mut found = ReadBack {
            writer: self.spec.name.clone(),
            service: self.spec.service.clone(),
            planned: 0,
            sent: 0,
            kept: 0,
            missing: Vec::new(),
            changed: Vec::new(),
            unread: Vec::new(),
            untried: Vec::new(),
        };
        let mut reads = JoinSet::new();
        let mut left = acknowledged.iter().copied();
        loop {
            while reads.len() < READS
                && let Some((index, sequence)) = left.next()
            {
                let writer = Arc::clone(self);
                spawn_in(&mut reads, async move {
                    (index, writer.read(sequence, last).await)
                });
            }
            let Some(read) = reads.join_next().await else {
                break;
            };
            match read {
                Ok((index, Some(answer))) => match answer {
                    Some((StatusCode::OK, body)) if body == self.payload(index) => found.kept += 1,
                    Some((StatusCode::NOT_FOUND, _)) => found.missing.push(index),
                    Some(_) => found.changed.push(index),
                    None => found.unread.push(index),
                },
                Ok((index, None)) => found.untried.push(index),
                Err(error) => tracing::error!(%error, "a read ended without an answer"),
            }
        }
        if !found.unread.is_empty() {
            // The journal was out of reach for all that came after, too.
            found.unread.append(&mut found.untried);
        }
        for list in [
            &mut found.missing,
            &mut found.changed,
            &mut found.unread,
            &mut found.untried,
        ] {
            list.sort_unstable();
        }
        found
    }

    /// What the journal has under a number; nothing inside where it could not be
    /// reached until `last`, nothing at all where there was no time to try.
    async fn read(&self, sequence: u64, last: Instant) -> Option<Option<(StatusCode, Bytes)>> {
        let path = format!("/records/{sequence}");
        let mut tried = false;
        loop {
            let left = last.saturating_duration_since(Instant::now());
            if left.is_zero() || self.closed.get() {
                return tried.then_some(None);
            }
            tried = true;
            let patience = left.min(READ_PATIENCE);
            let answer = self.journal.ask(Method::GET, &path, Bytes::new(), patience);
            if let Ok(answer) = answer.await {
                return Some(Some(answer));
            }
            sleep(AGAIN.min(left)).await;
        }
    }
}

fn sequence(body: &[u8]) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    answer.get("sequence")?.as_u64()
}
