//! The NUT agent: serves the devices of a board over NUT.

mod describe;
mod orders;
mod rows;
mod serve;

pub use serve::{NutAgentConfig, nut_on};

#[cfg(test)]
mod tests;
