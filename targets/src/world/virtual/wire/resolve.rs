//! Names on a virtual node: a table, and what resolvers are made to answer
//! instead of it.

use std::io::{self, ErrorKind};

use super::socket::NodeNet;
use super::state::State;
use crate::world::{LookupError, NameAnswer, RESOLVER_ATTEMPTS, RESOLVER_TIMEOUT};

/// What a name leads to at once.
enum Told {
    /// This place.
    Place(usize),
    /// No such name.
    Nobody,
    /// The server failed.
    Failed,
    /// Nothing: whoever asked waits, and then knows no more.
    Silence,
}

fn ask(state: &State, node: usize, name: &str) -> Told {
    let by_table = |name: &str| match NodeNet::find(state, node, name) {
        Some(place) => Told::Place(place),
        None => Told::Nobody,
    };
    if !state.places.contains_key(name) {
        // Addresses and `localhost` are not asked for.
        return by_table(name);
    }
    let own = state.places.get_index(node).map_or("", |(own, _)| own);
    match state.names.answer(own, name) {
        None => by_table(name),
        Some(NameAnswer::AddressOf(other)) => by_table(other),
        Some(NameAnswer::Nxdomain) => Told::Nobody,
        Some(NameAnswer::Servfail) => Told::Failed,
        Some(NameAnswer::Silence) => Told::Silence,
    }
}

impl NodeNet {
    /// The place that a name leads to, as `getaddrinfo` would find it.
    pub(crate) async fn look_up(&self, name: &str) -> Result<usize, LookupError> {
        match self.wire.with(|state, _| ask(state, self.node, name)) {
            Told::Place(place) => Ok(place),
            Told::Nobody => Err(LookupError::NoSuchName),
            Told::Failed => Err(LookupError::TryAgain),
            Told::Silence => {
                let patience = RESOLVER_TIMEOUT.duration() * RESOLVER_ATTEMPTS;
                tokio::time::sleep(patience).await;
                Err(LookupError::TryAgain)
            }
        }
    }
}

/// What a program is told of a name that was not found.
pub(super) fn unresolved(host: &str, error: LookupError) -> io::Error {
    match error {
        LookupError::NoSuchName => {
            io::Error::new(ErrorKind::NotFound, format!("no address for host {host:?}"))
        }
        LookupError::TryAgain => {
            io::Error::other(format!("temporary failure in name resolution of {host:?}"))
        }
    }
}
