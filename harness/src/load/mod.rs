//! The clients, and what became of every request.

mod answer;
mod chunk;
mod classify;
mod client;
mod content;
mod dialect;
mod exchange;
mod expected;
mod fate;
mod milestones;
mod observe;
mod oracle;
mod prompt;
mod reading;
mod recorded;
mod rehearsal;
mod row;
mod schedule;
mod service;
mod shape;
mod sse;
mod stats;
#[cfg(test)]
mod testing;
mod times;
mod tokenise;
mod transport;
mod words;

pub use answer::{Answer, Finished};
pub use classify::{Verdict, classify};
pub use content::{Checker, Defect};
pub use dialect::{Dialect, LEARN_FROM, Learner};
pub use expected::{Basis, Expected};
pub use fate::{Fate, Group};
pub use observe::Observations;
pub use oracle::{ChatMessage, Oracle};
pub use prompt::{Prepared, prepare};
pub use recorded::Library;
pub use rehearsal::{Differing, RecordedAnswer, Rehearsed, run_rehearsal};
pub use row::{LedgerRow, Termination};
pub use schedule::{MAX_REQUESTS, Planned, ScheduleError, draw, prompts};
pub use service::run_load;
pub use sse::{MAX_LINE, SseError, SseItem, SseReader};
pub use times::TokenTimes;
pub use tokenise::{Tokeniser, Word};
pub use words::{LedgerWord, LoadConfig};
