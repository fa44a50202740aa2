//! What nodes of the embedded and the docker world cost, on Linux.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(linux_worlds)]
mod docker;
#[cfg(linux_worlds)]
mod linux;

fn main() -> ExitCode {
    #[cfg(linux_worlds)]
    return linux::main();
    #[cfg(not(linux_worlds))]
    ExitCode::SUCCESS
}
