//! The NUT agent: serves the devices of a board over NUT.

mod describe;
mod keep;
mod orders;
mod rows;
mod serve;

#[cfg(unix)]
pub(in crate::supervisor) use describe::{describe, is_served};
#[cfg(unix)]
pub(in crate::supervisor) use keep::{Keeper, Todo, begin, tracked};
pub use serve::{NutAgentConfig, nut_on};

#[cfg(test)]
mod tests;
