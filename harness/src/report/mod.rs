//! What people and scripts read of a judged run.

mod crew;
mod junit;
mod page;
mod summary;
mod tables;
mod terminal;

pub use crew::{CrewTimes, crew_times};
pub use junit::{document, suite};
pub use page::{Story, page};
pub(crate) use page::{html, live, script};
pub use summary::{
    AtMs, CohortSummary, FaultSummary, LatencySummary, PowerSummary, Quantiles, RequestSummary,
    SkewSummary, Summary, summary,
};
pub use terminal::board;

#[cfg(test)]
mod tests;
