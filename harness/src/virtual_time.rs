//! A thread whose time is virtual.

use std::future::Future;

use tokio::sync::oneshot;

/// Runs what `make` returns on a thread of its own, whose runtime has one
/// thread and paused time: it stands still while anything runs, and jumps to
/// the next timer when nothing does.
///
/// # Errors
/// The thread or its runtime could not be made, or it died.
pub(crate) async fn on_virtual_time<T, F>(
    make: impl FnOnce() -> F + Send + 'static,
) -> std::io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (done, outcome) = oneshot::channel();
    std::thread::Builder::new()
        .name("virtual-time".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build();
            let result = runtime.map(|runtime| runtime.block_on(make()));
            let _ = done.send(result);
        })?;
    outcome
        .await
        .unwrap_or_else(|_| Err(std::io::Error::other("the thread of virtual time died")))
}
