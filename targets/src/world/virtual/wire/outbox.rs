//! Bytes that were written and not yet acknowledged.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// A queue of bytes that is read at any place and shortened at its front.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    chunks: VecDeque<Bytes>,
    len: usize,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, data: Bytes) {
        self.len += data.len();
        self.chunks.push_back(data);
    }

    /// Up to `max` bytes from `offset`; shared, not copied, where they lie in
    /// one piece.
    pub(super) fn slice(&self, mut offset: usize, max: usize) -> Bytes {
        let mut out = BytesMut::new();
        let mut wanted = max.min(self.len.saturating_sub(offset));
        for chunk in &self.chunks {
            if offset >= chunk.len() {
                offset -= chunk.len();
                continue;
            }
            let take = wanted.min(chunk.len() - offset);
            let piece = chunk.slice(offset..offset + take);
            if out.is_empty() && take == wanted {
                return piece;
            }
            out.extend_from_slice(&piece);
            wanted -= take;
            offset = 0;
            if wanted == 0 {
                break;
            }
        }
        out.freeze()
    }

    /// Drops `count` bytes at the front.
    pub(super) fn advance(&mut self, mut count: usize) {
        count = count.min(self.len);
        self.len -= count;
        while count > 0 {
            let Some(front) = self.chunks.front_mut() else {
                return;
            };
            if front.len() <= count {
                count -= front.len();
                self.chunks.pop_front();
            } else {
                let _ = front.split_to(count);
                return;
            }
        }
    }
}
