//! Walking the heads of BER by hand (X.690): what a message begins with, and
//! where in it the authentication parameters lie.

/// What is left of a run of BER values.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Tlv<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the message.
    at: usize,
}

impl<'a> Tlv<'a> {
    /// A whole message.
    pub(in super::super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next value, which must have this tag: what it holds, to be walked.
    pub(in super::super) fn enter(&mut self, tag: u8) -> Option<Self> {
        let (&found, rest) = self.bytes.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        if found != tag {
            return None;
        }
        let mut length = usize::from(first);
        if first >= 0x80 {
            let digits = usize::from(first & 0x7f);
            if digits == 0 || digits > 4 {
                return None;
            }
            let (head, tail) = rest.split_at_checked(digits)?;
            length = head.iter().fold(0, |sum, &b| sum << 8 | usize::from(b));
            rest = tail;
        }
        let at = self.at + (self.bytes.len() - rest.len());
        let (inside, after) = rest.split_at_checked(length)?;
        self.bytes = after;
        self.at = at + length;
        Some(Self { bytes: inside, at })
    }

    /// The next value, which must have this tag: its bytes.
    pub(in super::super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.enter(tag).map(|value| value.bytes)
    }

    /// Where it begins in the message, and how long it is.
    pub(super) fn place(&self) -> std::ops::Range<usize> {
        self.at..self.at + self.bytes.len()
    }
}
