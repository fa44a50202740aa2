//! Bytes that came and were not yet read, and those beyond a gap.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

/// The receiving side's bytes.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    ready: VecDeque<Bytes>,
    unread: usize,
    /// By sequence number.
    beyond: BTreeMap<u64, Bytes>,
}

impl Inbox {
    /// Bytes that can be read.
    pub(super) fn unread(&self) -> usize {
        self.unread
    }

    /// Whether bytes wait for a gap to be filled.
    pub(super) fn has_gap(&self) -> bool {
        !self.beyond.is_empty()
    }

    /// Takes bytes that begin at `seq`, where `next` is the number waited for;
    /// returns the next number after what is now complete.
    pub(super) fn take(&mut self, seq: u64, data: Bytes, mut next: u64) -> u64 {
        if seq > next {
            let longest = self.beyond.get(&seq).map_or(0, Bytes::len);
            if data.len() > longest {
                self.beyond.insert(seq, data);
            }
            return next;
        }
        next = self.append(seq, data, next);
        while let Some(entry) = self.beyond.first_entry() {
            if *entry.key() > next {
                break;
            }
            let (seq, data) = entry.remove_entry();
            next = self.append(seq, data, next);
        }
        next
    }

    fn append(&mut self, seq: u64, mut data: Bytes, next: u64) -> u64 {
        let known = (next - seq) as usize;
        if known >= data.len() {
            return next;
        }
        let _ = data.split_to(known);
        self.unread += data.len();
        let end = next + data.len() as u64;
        self.ready.push_back(data);
        end
    }

    /// Moves bytes into `put` until it has no room; returns how many.
    pub(super) fn read(&mut self, mut room: usize, mut put: impl FnMut(&[u8])) -> usize {
        let mut moved = 0;
        while room > 0
            && let Some(front) = self.ready.front_mut()
        {
            let take = room.min(front.len());
            put(&front[..take]);
            if take == front.len() {
                self.ready.pop_front();
            } else {
                let _ = front.split_to(take);
            }
            room -= take;
            moved += take;
        }
        self.unread -= moved;
        moved
    }
}
