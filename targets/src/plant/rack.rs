//! A rack: it brings its machines back one after the other.

use std::collections::BTreeSet;

use crate::clock::Micros;

/// A rack.
#[derive(Clone, Debug)]
pub(super) struct RackModel {
    /// Its name in the site.
    pub(super) name: String,
    /// Its machines.
    pub(super) nodes: Vec<usize>,
    /// Cuts in force.
    pub(super) cuts: u32,
    stagger_us: Micros,
    waiting: BTreeSet<usize>,
    last_on: Option<Micros>,
}

impl RackModel {
    pub(super) fn new(name: &str, stagger_us: Micros) -> Self {
        Self {
            name: name.to_string(),
            nodes: Vec::new(),
            cuts: 0,
            stagger_us,
            waiting: BTreeSet::new(),
            last_on: None,
        }
    }

    /// A dead machine has a good input, or has none any more. Says whether
    /// that is news.
    pub(super) fn wait(&mut self, node: usize, waits: bool) -> bool {
        if waits {
            self.waiting.insert(node)
        } else {
            self.waiting.remove(&node)
        }
    }

    /// The next machine whose turn it is at `t_us`.
    pub(super) fn release(&mut self, t_us: Micros) -> Option<usize> {
        if self.next_due()? > t_us {
            return None;
        }
        self.last_on = Some(t_us);
        self.waiting.pop_first()
    }

    /// When the next machine's turn comes; 0 when that is at once.
    pub(super) fn next_due(&self) -> Option<Micros> {
        self.waiting.first()?;
        Some(
            self.last_on
                .map_or(0, |t| t.saturating_add(self.stagger_us)),
        )
    }
}
