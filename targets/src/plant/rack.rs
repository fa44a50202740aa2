//! A rack: it brings its machines back one after the other.

use std::collections::BTreeSet;

use super::bbu::BbuModel;
use super::site;
use super::timers::earlier;
use crate::clock::Micros;

/// A rack.
#[derive(Clone, Debug)]
pub(super) struct RackModel {
    /// Its name in the site.
    pub(super) name: String,
    /// Its machines.
    pub(super) nodes: Vec<usize>,
    /// The PDU behind each of its cords.
    pub(super) cords: Vec<usize>,
    /// The room whose air it breathes, where that is modelled.
    pub(super) room: Option<usize>,
    /// Its battery backup unit.
    pub(super) bbu: Option<Box<BbuModel>>,
    /// Cuts in force.
    pub(super) cuts: u32,
    stagger_us: Micros,
    waiting: BTreeSet<usize>,
    last_on: Option<Micros>,
}

impl RackModel {
    pub(super) fn new(name: &str, site: &site::Rack, cords: Vec<usize>) -> Self {
        Self {
            name: name.to_string(),
            nodes: Vec::new(),
            bbu: site
                .bbu
                .as_ref()
                .map(|bbu| Box::new(BbuModel::new(bbu, cords.len()))),
            cords,
            room: None,
            cuts: 0,
            stagger_us: site.stagger.micros(),
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
        if self.next_turn()? > t_us {
            return None;
        }
        self.last_on = Some(t_us);
        self.waiting.pop_first()
    }

    /// Its backup unit carries the machines that have no input.
    pub(super) fn backs_up(&self) -> bool {
        self.bbu.as_ref().is_some_and(|bbu| bbu.delivers())
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        let bbu = self.bbu.as_ref().and_then(|bbu| bbu.next_due());
        earlier(self.next_turn(), bbu)
    }

    /// When the next machine's turn comes; 0 when that is at once.
    fn next_turn(&self) -> Option<Micros> {
        self.waiting.first()?;
        Some(
            self.last_on
                .map_or(0, |t| t.saturating_add(self.stagger_us)),
        )
    }
}
