//! Faults of the fabric, each witnessed by probe packets between the pairs that
//! it names.

mod cut;
mod latency;
mod loss;
mod pairs;

pub(crate) use cut::Cut;
pub(crate) use latency::Latency;
pub(crate) use loss::Loss;
