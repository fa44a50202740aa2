//! The plant as a whole.

mod bess;
mod breaker;
mod bypass;
mod common;
mod cooling;
mod curves;
mod devices;
mod full;
mod golden;
mod graph;
mod machines;
mod properties;
mod racks;
mod scale;
mod sources;
mod story;
mod support;
mod ups;
mod words;
