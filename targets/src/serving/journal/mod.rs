//! A write-ahead journal: what it has acknowledged is on the medium.

mod config;
mod frame;
mod log;
mod service;

pub use config::{FsyncPolicy, JournalConfig};
pub use service::run_journal;

#[cfg(test)]
mod tests;
