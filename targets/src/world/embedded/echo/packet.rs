//! A probe packet on the wire.

use super::super::message::Seen;

pub(super) const MAGIC: [u8; 8] = *b"rtprobe2";
const SIZE: usize = 40;
/// Stands for a packet that answers nothing.
const NOTHING: u32 = u32::MAX;

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Which probe it is of.
    pub(super) token: u64,
    /// Its number, from 0.
    pub(super) seq: u32,
    /// Of an answer: the number of the arrival that it answers.
    pub(super) answers: Option<u32>,
    /// When the probe began, by the host's clock.
    pub(super) begun_us: u64,
    /// When this packet was sent, since then.
    pub(super) sent_us: u32,
}

impl Packet {
    /// As bytes, padded to a length.
    pub(super) fn bytes(&self, length: u32) -> Vec<u8> {
        let mut bytes = vec![0; SIZE.max(length as usize)];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.token.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.seq.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.answers.unwrap_or(NOTHING).to_be_bytes());
        bytes[24..32].copy_from_slice(&self.begun_us.to_be_bytes());
        bytes[32..36].copy_from_slice(&self.sent_us.to_be_bytes());
        bytes
    }

    /// Nothing where it is no probe packet.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<SIZE>()?;
        let long = |at: usize| -> Option<u64> {
            Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
        };
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
        };
        if bytes[..8] != MAGIC {
            return None;
        }
        Some(Self {
            token: long(8)?,
            seq: word(16)?,
            answers: Some(word(20)?).filter(|nth| *nth != NOTHING),
            begun_us: long(24)?,
            sent_us: word(32)?,
        })
    }

    /// How it was seen at this time of the host's clock.
    pub(super) fn seen(&self, host_us: u64) -> Seen {
        let left_us = self.begun_us.saturating_add(u64::from(self.sent_us));
        Seen(
            self.answers.unwrap_or(self.seq),
            self.sent_us,
            host_us.saturating_sub(left_us).min(u64::from(u32::MAX)) as u32,
        )
    }
}
