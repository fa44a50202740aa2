//! What people and scripts read of a judged run.

mod annotations;
mod code_quality;
mod crew;
mod detectors;
mod expectation;
mod junit;
mod markdown;
mod page;
mod summary;
mod tables;
mod terminal;
mod told;

pub use annotations::{annotations, problem};
pub use code_quality::code_quality;
pub use crew::{CrewTimes, crew_times};
pub use detectors::DetectorSummary;
pub use expectation::{Expectation, came};
pub use junit::{document, not_run, suite};
pub use markdown::markdown;
pub use page::{Story, page};
pub(crate) use page::{html, live, script};
pub use summary::{
    AtMs, CohortSummary, ControlSummary, FaultSummary, LatencySummary, PowerSummary, Quantiles,
    RequestSummary, SkewSummary, Summary, summary,
};
pub(crate) use tables::{amount, lines, plain};
pub use terminal::board;
pub use told::{Spot, Told};

#[cfg(test)]
mod tests;
