//! What earlier runs came to: kept in a database beside the run folders, so that
//! a margin that shrinks from night to night is seen before its promise breaks.

mod error;
mod found;
mod groups;
mod pack;
mod retention;
mod schema;
mod store;
mod trend;
mod warning;

pub use error::HistoryError;
pub use groups::{Group, Point, Series, groups};
pub use retention::{Pruned, Retention, prune};
pub use store::{Entry, History, Kept, Promise};
pub use trend::{Trend, spark};
pub use warning::{Warning, warnings};

#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod tests;
