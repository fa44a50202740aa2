//! Two runs side by side: what changed, and whether anything got worse.

mod change;
mod requests;
mod text;

pub use change::{Change, Comparison, Held, Promised, Side, compare};
pub use text::side_by_side;

#[cfg(test)]
mod tests;
