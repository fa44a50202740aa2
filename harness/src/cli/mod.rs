//! The command line, one file per verb.

mod again;
mod args;
mod asked;
mod bundle;
mod check;
mod compare;
mod controls;
mod doctor;
mod emulate;
mod exit;
mod export;
mod fallback;
mod gameday;
mod heal;
mod history;
mod interrupt;
mod judge;
mod keep;
mod list;
mod main;
mod plan;
mod progress;
mod prune;
mod reference;
mod report;
mod run;
mod runtime;
mod schema;
mod serve;
mod telling;
mod wrap;

pub use main::main;

#[cfg(test)]
mod tests;
