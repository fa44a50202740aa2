//! Frames that are held back until they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::fabric::link::Nanos;

use super::port::Life;

/// Bytes one direction may hold.
pub(crate) const LINK_LIMIT: usize = 64 << 20;
/// Bytes the switch may hold.
pub(crate) const TOTAL_LIMIT: usize = 512 << 20;
/// Buffers kept for reuse, and the largest one worth keeping.
const SPARE_BUFFERS: usize = 1024;
const SPARE_CAPACITY: usize = 4096;

/// A frame on its way.
#[derive(Debug)]
pub(crate) struct Held<D> {
    pub(crate) from: Arc<Life<D>>,
    pub(crate) to: Arc<Life<D>>,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug)]
struct Entry<D> {
    due: Nanos,
    order: u64,
    held: Held<D>,
}

impl<D> PartialEq for Entry<D> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<D> Eq for Entry<D> {}

impl<D> PartialOrd for Entry<D> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<D> Ord for Entry<D> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<D> Entry<D> {
    fn key(&self) -> (Nanos, u64) {
        (self.due, self.order)
    }
}

/// A heap by due time; frames due at the same time leave in order of arrival.
#[derive(Debug)]
pub(crate) struct HoldQueue<D> {
    heap: BinaryHeap<Reverse<Entry<D>>>,
    spare: Vec<Vec<u8>>,
    order: u64,
    bytes: usize,
}

impl<D> HoldQueue<D> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            spare: Vec::new(),
            order: 0,
            bytes: 0,
        }
    }

    /// Bytes held now.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the next frame is due.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    /// Holds a copy of a frame.
    pub(crate) fn push(
        &mut self,
        due: Nanos,
        from: &Arc<Life<D>>,
        to: &Arc<Life<D>>,
        frame: &[u8],
    ) {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.extend_from_slice(frame);
        self.bytes += bytes.len();
        self.order += 1;
        self.heap.push(Reverse(Entry {
            due,
            order: self.order,
            held: Held {
                from: Arc::clone(from),
                to: Arc::clone(to),
                bytes,
            },
        }));
    }

    /// Takes the next frame if it is due.
    pub(crate) fn pop_due(&mut self, now: Nanos) -> Option<Held<D>> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.bytes -= entry.held.bytes.len();
        Some(entry.held)
    }

    /// Takes out every frame from or to a port that is dark.
    pub(crate) fn purge(&mut self) -> Vec<Held<D>> {
        let dark = |held: &Held<D>| held.from.is_dark() || held.to.is_dark();
        if !self.heap.iter().any(|Reverse(entry)| dark(&entry.held)) {
            return Vec::new();
        }
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.heap)
            .into_iter()
            .partition(|Reverse(entry)| dark(&entry.held));
        self.heap = kept.into();
        let gone: Vec<Held<D>> = gone.into_iter().map(|Reverse(entry)| entry.held).collect();
        self.bytes -= gone.iter().map(|held| held.bytes.len()).sum::<usize>();
        gone
    }

    /// Gives a buffer back for reuse.
    pub(crate) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS && buffer.capacity() <= SPARE_CAPACITY {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests;
