//! The command line, one file per verb.

mod args;
mod bundle;
mod check;
mod doctor;
mod emulate;
mod exit;
mod export;
mod fallback;
mod gameday;
mod heal;
mod interrupt;
mod judge;
mod list;
mod main;
mod plan;
mod progress;
mod report;
mod run;
mod schema;
mod serve;
mod wrap;

pub use main::main;

#[cfg(test)]
mod tests;
