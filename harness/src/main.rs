//! The `ridethrough` command.
#![forbid(unsafe_code)]

fn main() {}
