//! Cases that need a program of others.
//!
//! Whether it is installed is decided when the cases are listed: without it a
//! case is ignored and its name says what to install; under `CI=true` it fails
//! instead, so that no pipeline goes green for want of a peer.

use std::future::Future;

use libtest_mimic::{Failed, Trial};

/// A case with its peer, or with what is lacking and how to get it.
pub(crate) fn case<P, F>(name: &str, peer: Result<P, String>, run: fn(P) -> F) -> Trial
where
    P: Send + 'static,
    F: Future<Output = Result<(), Failed>> + 'static,
{
    let lack = match peer {
        Ok(peer) => return Trial::test(name, move || block_on(run, peer)),
        Err(lack) => lack,
    };
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let name = format!("{name} [{lack}]");
    Trial::test(name, move || Err(lack.into())).with_ignored_flag(!in_ci)
}

fn block_on<P, F>(run: fn(P) -> F, peer: P) -> Result<(), Failed>
where
    F: Future<Output = Result<(), Failed>>,
{
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(peer))
}
