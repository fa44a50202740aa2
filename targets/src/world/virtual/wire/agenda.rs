//! What is due later, in order of time and then of asking.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::segment::Nanos;
use super::state::{Packet, SockId};

/// Something that happens at a time.
#[derive(Debug)]
pub(super) enum Job {
    /// A packet reaches the other end of its link.
    Arrive(Packet),
    /// A connection looks at its timers.
    Timer(SockId),
    /// A packet comes back to its sender: nobody answers at the address.
    Unreachable(SockId),
}

#[derive(Debug)]
struct Entry {
    due: Nanos,
    order: u64,
    job: Job,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.order) == (other.due, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

/// A heap of jobs.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<Entry>>,
    order: u64,
}

impl Agenda {
    pub(super) fn push(&mut self, due: Nanos, job: Job) {
        self.order += 1;
        let order = self.order;
        self.heap.push(Reverse(Entry { due, order, job }));
    }

    pub(super) fn next_due(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    /// The next job that is due, with its time.
    pub(super) fn pop_due(&mut self, now: Nanos) -> Option<(Nanos, Job)> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.due, entry.job))
    }
}
