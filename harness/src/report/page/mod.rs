//! `report.html`: a run as one page that needs nothing else.

mod bins;
mod components;
mod data;
mod detectors;
mod escape;
mod figures;
mod follow;
mod live;
mod pack;
mod requests;
mod site;
mod steps;
mod story;
mod tables;
mod told;
mod words;
mod write;

pub(crate) use escape::{html, script};
pub(crate) use live::live;
pub use story::Story;
pub use write::page;

#[cfg(test)]
mod tests;
