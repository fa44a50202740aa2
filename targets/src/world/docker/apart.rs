//! Asking the engine from where there may or may not be a runtime.

use crate::world::WorldError;

/// Runs a future to its end on a thread and a runtime of its own.
pub(super) fn apart<T, F>(make: impl FnOnce() -> F + Send) -> Result<T, WorldError>
where
    T: Send,
    F: Future<Output = Result<T, WorldError>>,
{
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|source| WorldError::System {
            what: "start a runtime".into(),
            source,
        })?;
        runtime.block_on(make())
    };
    std::thread::scope(|scope| {
        let ended = scope.spawn(run).join();
        ended.unwrap_or_else(|_| Err(WorldError::Failed("asking the engine failed".into())))
    })
}
