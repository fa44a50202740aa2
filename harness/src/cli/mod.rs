//! The verbs of the command line, one file each. Each gives the text to print;
//! what is printed where, and with which exit code, is the binary's.

mod check;
mod list;
mod plan;
mod schema;
mod wrap;

pub use check::{Checked, check};
pub use list::{ListedPlaybook, list_assertions, list_faults, list_playbooks, playbooks_below};
pub use plan::{plan_json, plan_text};
pub use schema::schema_json;

#[cfg(test)]
mod tests;
