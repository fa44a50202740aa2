//! The plant as a whole.

mod breaker;
mod devices;
mod golden;
mod graph;
mod machines;
mod properties;
mod scale;
mod story;
mod support;
mod ups;
