//! The NUT protocol, version 1.3 (RFC 9271): server and client.

mod access;
mod act;
mod bank;
mod client;
mod describe;
mod device;
mod line;
mod query;
mod server;
#[cfg(test)]
mod server_tests;
mod session;
#[cfg(test)]
mod tests;

#[cfg(unix)]
pub(super) use act::check_value;

pub use access::{NutRole, NutUser};
pub use bank::{Bank, Order, OrderKind, Pace, SharedBank, Tracked};
pub use client::{ClientError, NutClient, VariableType};
pub use describe::{describe_command, describe_variable};
pub use device::{Device, Link, Range, Variable};
pub use line::{is_name, quote, split};
pub use server::{Limits, serve};
pub use session::{Reply, Session};
