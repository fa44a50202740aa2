//! Numbers in few bytes: variable length, then base64.
//!
//! Seven bits to a byte, the lowest first; the high bit says that more follow.
//! The page reads them back in `assets/unpack.js`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes under construction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
}

impl Packed {
    /// Adds a number.
    pub(crate) fn push(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Adds a number with a sign: small ones of either sign stay short.
    pub(crate) fn push_signed(&mut self, value: i64) {
        self.push(((value << 1) ^ (value >> 63)) as u64);
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Back to this length.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// As base64, padded.
    pub(crate) fn text(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

impl FromIterator<u64> for Packed {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut packed = Self::default();
        values.into_iter().for_each(|value| packed.push(value));
        packed
    }
}

/// Numbers that grow: each as what it adds to the one before.
pub(crate) fn growing(values: impl Iterator<Item = u64>) -> String {
    let mut last = 0;
    let gaps = values.map(|value| value.saturating_sub(std::mem::replace(&mut last, value)));
    Packed::from_iter(gaps).text()
}

#[cfg(test)]
mod tests {
    use super::{Packed, growing};

    #[test]
    fn bytes_are_as_the_page_reads_them() {
        let packed = Packed::from_iter([0, 127, 128, 300]);
        assert_eq!(packed.bytes, [0, 127, 0x80, 1, 0xac, 2]);
        assert_eq!(packed.text(), "AH+AAawC");
        assert_eq!(Packed::from_iter([77]).text(), "TQ==");
        assert_eq!(Packed::from_iter([77, 97]).text(), "TWE=");
        assert_eq!(growing([5, 5, 9].into_iter()), "BQAE");
    }

    #[test]
    fn signs_are_kept_short() {
        let mut packed = Packed::default();
        for value in [0, -1, 1, -64, 63] {
            packed.push_signed(value);
        }
        assert_eq!(packed.bytes, [0, 1, 2, 127, 126]);
    }
}
