//! What people and scripts read of a judged run.

mod detectors;
mod junit;
mod page;
mod summary;
mod tables;
mod terminal;

pub use detectors::DetectorSummary;
pub use junit::{document, suite};
pub use page::{Story, page};
pub use summary::{
    AtMs, CohortSummary, FaultSummary, LatencySummary, PowerSummary, Quantiles, RequestSummary,
    SkewSummary, Summary, summary,
};
pub use terminal::board;

#[cfg(test)]
mod tests;
