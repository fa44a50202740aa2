//! The `ridethrough` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Virtual runs spend a tenth of their time on short-lived memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ridethrough::cli::main()
}
