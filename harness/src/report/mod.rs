//! What people and scripts read of a judged run.

mod junit;
mod page;
mod summary;
mod tables;
mod terminal;

pub use junit::{document, suite};
pub use page::{Story, page};
pub use summary::{
    AtMs, CohortSummary, FaultSummary, LatencySummary, PowerSummary, Quantiles, RequestSummary,
    SkewSummary, Summary, summary,
};
pub use terminal::board;

#[cfg(test)]
mod tests;
