//! The verdict: a pure function of the record and the assertions.
//!
//! A record is read once, event by event, into [`RunFacts`]; [`judge`] holds
//! every assertion against them, and then asks whether the experiment itself held. An experiment
//! that did not hold has no verdict but [`Verdict::Invalid`], whatever its
//! assertions say.

mod attempts;
mod availability;
mod battery;
mod blast;
mod bus;
mod cohort;
mod common_mode;
mod continuity;
mod detection;
mod detectors;
mod durability;
mod energy;
mod eviction;
mod facts;
mod failover;
mod finding;
mod gather;
mod generator;
mod goodput;
mod hits;
mod latency;
mod live;
mod no_false_shutdown;
mod nodes;
mod patience;
mod quantity;
mod recharge;
mod recovery;
mod retransfer;
mod ride_through;
mod run;
mod sample;
mod scope;
mod sentence;
mod shutdown_order;
mod steadiness;
mod supervisor;
mod take;
mod temperature;
mod truth_lag;
mod validity;
mod verdict;
mod window;

pub use attempts::{Attempts, Tried};
pub use blast::Places;
pub use bus::{Gap, worst_gap};
pub use cohort::cohort_name;
pub use detectors::{Detector, detectors};
pub use facts::{
    BusPoint, Charge, Fault, GeneratorMove, Hit, LoadEnd, Move, Phase, Ready, RunEnd, RunFacts,
    Seen, UpsMove, Weakness,
};
pub use finding::{Judged, Margin};
pub(crate) use hits::is_aimed;
pub use live::{Abort, Watchman};
pub(crate) use patience::{CLIENTS, patience};
pub use quantity::{share as show_share, time as show_time};
pub use run::{Judgement, judge};
pub use sample::{Sample, percentile};
pub use sentence::sentence;
pub use steadiness::{Nature, Steadiness, Tally};
pub use verdict::{INTERRUPTED, Verdict, combine};

#[cfg(test)]
mod durability_tests;
#[cfg(test)]
mod experiment_tests;
#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_tests;
