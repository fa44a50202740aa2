//! What peers of a node must see when it loses power, is killed, hangs or
//! comes back: one table that every world reproduces.

mod judge;
mod run;
mod service;
mod table;

pub use run::{Stage, row};
pub use service::{CLIENT, builtin};
pub use table::{Cell, Column, End, Expect, Fault, Row, TABLE};
