//! What became of a write, and of all that were acknowledged.

use serde::{Deserialize, Serialize};

use ridethrough_targets::clock::Micros;

/// One write to a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteRow {
    /// The writer.
    pub writer: String,
    /// The service it wrote to.
    pub service: String,
    /// Its place in the writer's schedule, from 0.
    pub index: u32,
    /// When it was sent.
    pub sent_us: Micros,
    /// When it was answered or given up.
    pub end_us: Micros,
    /// What became of it.
    pub outcome: WriteOutcome,
}

/// What became of a write, as its writer knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteOutcome {
    /// The journal has it, it says, under this number.
    Acknowledged {
        /// The number.
        sequence: u64,
    },
    /// The journal said that it does not have it.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// No answer: it may have been written or not, and nothing is promised.
    Unknown {
        /// What came instead.
        why: String,
    },
}

/// What a writer found of its acknowledged writes when it read them back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// The writer.
    pub writer: String,
    /// The service it wrote to.
    pub service: String,
    /// Writes in its schedule.
    pub planned: u32,
    /// Writes that were sent.
    pub sent: u32,
    /// Acknowledged writes that are there, word for word.
    pub kept: u32,
    /// Acknowledged writes, by index, under whose number there is nothing.
    pub missing: Vec<u32>,
    /// Acknowledged writes, by index, under whose number there is something
    /// else, or something that cannot be read.
    pub changed: Vec<u32>,
    /// Acknowledged writes, by index, after which nobody could be asked until
    /// the run was over.
    pub unread: Vec<u32>,
    /// Acknowledged writes, by index, for which the time was too short, although
    /// the journal was there.
    #[serde(default)]
    pub untried: Vec<u32>,
}
