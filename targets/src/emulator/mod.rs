//! A site that runs by itself, without a stack: the plant on a clock, its
//! devices on a board.

mod driver;
mod machines;

pub use driver::{Emulator, Story};
pub use machines::stand_ins;

#[cfg(test)]
mod tests;
