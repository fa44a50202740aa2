//! Where runs and servers of the command line are carried out.

use tokio::runtime::{Builder, Runtime};

use super::exit::Exit;
use super::main::complain;

/// A runtime with a thread for each core.
pub(super) fn start_runtime() -> Result<Runtime, Exit> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| {
        complain(&format!("no runtime: {error}"));
        Exit::World
    })
}
