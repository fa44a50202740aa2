//! The `ridethrough` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ridethrough::cli::main()
}
