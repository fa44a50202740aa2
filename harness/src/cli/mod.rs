//! The command line, one file per verb.

mod args;
mod doctor;
mod exit;
mod judge;
mod main;
mod progress;
mod run;

pub use main::main;
