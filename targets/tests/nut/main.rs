//! The emulated power side against the programs of others, on Linux.
#![deny(unsafe_code)]

use std::process::ExitCode;

#[cfg(linux_worlds)]
mod linux;

fn main() -> ExitCode {
    #[cfg(linux_worlds)]
    return linux::main();
    #[cfg(not(linux_worlds))]
    ExitCode::SUCCESS
}
