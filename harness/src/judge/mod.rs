//! From a record to a verdict: a pure function of the record and the promises.

mod verdict;

pub use verdict::{Judged, Judgement, JudgeInput, Margin, Verdict, combine};
