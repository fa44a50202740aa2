//! The plant as a whole.

mod golden;
mod support;
