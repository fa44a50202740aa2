//! The stack as a whole, on an in-memory network and paused time; what only
//! real sockets can show runs on loopback.

mod admission;
mod breaks;
mod malformed;
mod network;
mod replica;
mod resume;
mod stack;
