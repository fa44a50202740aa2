//! Clients of a journal: they write at a rate, keep what was acknowledged, and
//! read it all back when the last phase is over.

mod exchange;
mod row;
mod service;

pub use row::{ReadBack, WriteOutcome, WriteRow};
pub use service::{WriterConfig, WriterTask, payload, run_writer};

#[cfg(test)]
mod tests;
