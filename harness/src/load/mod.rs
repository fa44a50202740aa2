//! The clients, and what became of every request.

mod fate;
mod row;

pub use fate::{Fate, Group};
pub use row::{LedgerRow, Termination};
