//! What the load is told, and what it says.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::units::Span;

use super::dialect::Dialect;
use super::rehearsal::Rehearsed;
use super::row::LedgerRow;
use crate::playbook::LoadSpec;
use crate::writer::{ReadBack, WriteRow};

/// What the load service is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadConfig {
    /// The loads, each with a schedule of its own.
    pub loads: Vec<LoadSpec>,
    /// The host that requests go to.
    pub target_host: String,
    /// Its port.
    pub target_port: u16,
    /// The run time at which the schedules begin.
    pub start_us: Micros,
    /// How long requests are sent.
    pub duration: Span,
    /// How long after that open requests may finish.
    pub drain: Span,
    /// The seed of the schedules (default: the service's own).
    #[serde(default)]
    pub seed: Option<u64>,
    /// The model asked for.
    #[serde(default = "model")]
    pub model: String,
    /// How a healthy stream ends, where it is known; else it is learned.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// Whole streams to learn the dialect from.
    #[serde(default = "learn_from")]
    pub learn_from: u32,
    /// What the fault-free pass found, by load; it has one of each load whose
    /// answers are recorded.
    #[serde(default)]
    pub rehearsed: IndexMap<String, Rehearsed>,
}

fn model() -> String {
    "reference".into()
}

fn learn_from() -> u32 {
    super::dialect::LEARN_FROM
}

/// A word of the load's ledger, as carried by `FromService::Ledger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerWord {
    /// A request is over.
    Row(LedgerRow),
    /// A write to a journal is over.
    Write(WriteRow),
    /// A writer has read back what was acknowledged; it is over.
    ReadBack(ReadBack),
    /// The fault-free pass of a load is over.
    Rehearsed(Rehearsed),
    /// A load is over; its rows have all been said.
    LoadDone {
        /// The load.
        load: String,
        /// Requests that its schedule held.
        planned: u32,
        /// Requests sent.
        sent: u32,
        /// Send lag behind the schedule, 99th percentile.
        lag_p99_us: Micros,
        /// The dialect that answers were judged by, once it was known.
        #[serde(default)]
        dialect: Option<Dialect>,
        /// The streams it was learned from did not all end alike.
        #[serde(default)]
        mixed: bool,
    },
}

impl LedgerWord {
    /// As a panel carries it.
    pub fn to_value(&self) -> Value {
        // Every part is a plain value with text keys, which cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl TryFrom<Value> for LedgerWord {
    type Error = serde_json::Error;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        serde_json::from_value(value)
    }
}
