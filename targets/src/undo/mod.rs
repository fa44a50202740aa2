//! Putting the host back: what a run changes outside of its namespaces is
//! written down before it is changed, and undone whatever becomes of the run.
//!
//! ```text
//! harness ── 1 record, fsync ─▶ journal ◀── 3 undo when the lease ends ── guardian
//!    └────── 2 change the host                          (or `heal`, after a reboot)
//! ```
//!
//! A record is data of a closed enumeration ([`Undo`]), carries its owner in the
//! name of what it undoes, and can be carried out any number of times. The
//! [`Journal`] is the harness's end; the guardian is a process of its own that
//! outlives it.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it waits for the host's kernel, in real time, and without a runtime"
)]

mod apply;
mod guard;
#[cfg(linux_worlds)]
mod guardian;
mod journal;
mod place;
mod record;
mod steps;

pub use apply::{Undone, undo};
pub use guard::{Guard, GuardOrder};
#[cfg(linux_worlds)]
pub use guardian::guardian_main;
pub use journal::{Journal, Ticket};
pub use place::{Left, goes_on, left_behind, state_dir};
pub use record::Undo;
