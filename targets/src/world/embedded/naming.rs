//! Names on nodes, as the harness misleads and asks for them.

use std::time::Duration;

use crate::world::{Lookup, NameRule, RESOLVER_ATTEMPTS, RESOLVER_TIMEOUT, WorldError};

use super::live::lock;
use super::message::{Answer, Ask};
use super::world::{ASK_LIMIT, EmbeddedWorld};

impl EmbeddedWorld {
    /// See [`World::mislead`](crate::world::World::mislead).
    pub(super) async fn mislead_nodes(&self, rule: NameRule) -> Result<u64, WorldError> {
        for node in &rule.nodes {
            self.known(node)?;
        }
        let nodes = rule.nodes.clone();
        let number = lock(&self.names).install(rule);
        for node in &nodes {
            self.tell_names(node).await?;
        }
        Ok(number)
    }

    /// See [`World::lead`](crate::world::World::lead).
    pub(super) async fn lead_nodes(&self, number: u64) {
        let rule = lock(&self.names).remove(number);
        for node in rule.iter().flat_map(|rule| &rule.nodes) {
            if let Err(error) = self.tell_names(node).await {
                tracing::warn!(node, %error, "could not mend the resolver");
            }
        }
    }

    /// Tells a node what holds for it now; one that is down learns it when it
    /// boots.
    pub(super) async fn tell_names(&self, node: &str) -> Result<(), WorldError> {
        let rules = lock(&self.names).of_node(node);
        match self.find(node) {
            Some(live) => live.ask(Ask::Names(rules), ASK_LIMIT).await.map(drop),
            None => Ok(()),
        }
    }

    /// See [`World::lookup`](crate::world::World::lookup).
    pub(super) async fn look_up(&self, node: &str, name: &str) -> Result<Lookup, WorldError> {
        let patience: Duration = RESOLVER_TIMEOUT.duration() * RESOLVER_ATTEMPTS;
        let ask = Ask::Lookup(name.to_string());
        match self.live(node)?.ask(ask, patience + ASK_LIMIT).await? {
            Answer::Lookup(lookup) => Ok(lookup),
            answer => Err(WorldError::Failed(format!("odd answer: {answer:?}"))),
        }
    }
}
