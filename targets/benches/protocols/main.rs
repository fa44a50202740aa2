//! How fast the agents of the protocols are, beside the programs of others, and
//! how soon a change at a device is heard.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(linux_worlds)]
mod linux;

fn main() -> ExitCode {
    #[cfg(linux_worlds)]
    return linux::main();
    #[cfg(not(linux_worlds))]
    ExitCode::SUCCESS
}
