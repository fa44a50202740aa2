//! The shipped playbooks, and what their tests share.
#![forbid(unsafe_code)]

mod shipped;

pub use shipped::{Shipped, shipped};
