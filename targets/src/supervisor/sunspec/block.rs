//! One SunSpec model as registers.

/// "Not implemented" of signed numbers and scale factors.
const NO_SIGNED: u16 = 0x8000;
/// "Not implemented" of unsigned numbers, enumerations and bit fields.
const NO_UNSIGNED: u16 = 0xffff;

/// A model's registers, from its ID on. Every point that is not set reads as
/// "not implemented".
pub(super) struct Block {
    words: Vec<u16>,
}

impl Block {
    /// A model of `length` registers after its ID and length; `signed` are the
    /// places of its signed points and scale factors, from each to before the
    /// other.
    pub(super) fn new(id: u16, length: u16, signed: &[(usize, usize)]) -> Self {
        let mut words = vec![NO_UNSIGNED; usize::from(length) + 2];
        words[0] = id;
        words[1] = length;
        for at in signed.iter().flat_map(|(from, to)| *from..*to) {
            if let Some(word) = words.get_mut(at) {
                *word = NO_SIGNED;
            }
        }
        Self { words }
    }

    /// An unsigned number, an enumeration or a scale factor.
    pub(super) fn put(mut self, at: usize, value: u16) -> Self {
        self.words[at] = value;
        self
    }

    /// A value in units of `step`, unsigned; too large shows as the largest.
    pub(super) fn unsigned(self, at: usize, value: f64, step: f64) -> Self {
        let scaled = (finite(value) / step).round();
        self.put(at, scaled.clamp(0.0, f64::from(NO_UNSIGNED - 1)) as u16)
    }

    /// A value in units of `step`, signed.
    pub(super) fn signed(self, at: usize, value: f64, step: f64) -> Self {
        let scaled = (finite(value) / step).round();
        let least = f64::from(i16::MIN + 1);
        self.put(at, (scaled.clamp(least, f64::from(i16::MAX)) as i16) as u16)
    }

    /// A number of two registers.
    pub(super) fn long(self, at: usize, value: u32) -> Self {
        self.put(at, (value >> 16) as u16).put(at + 1, value as u16)
    }

    /// A number of four registers.
    pub(super) fn longer(self, at: usize, value: u64) -> Self {
        self.long(at, (value >> 32) as u32)
            .long(at + 2, value as u32)
    }

    /// A scale factor: the value is the register times ten to this power.
    pub(super) fn scale(self, at: usize, power: i16) -> Self {
        self.put(at, power as u16)
    }

    /// Text in so many registers, filled up with NUL.
    pub(super) fn text(mut self, at: usize, registers: usize, text: &str) -> Self {
        let mut bytes = text.bytes().take(registers * 2);
        for word in &mut self.words[at..at + registers] {
            let high = bytes.next().unwrap_or(0);
            *word = u16::from_be_bytes([high, bytes.next().unwrap_or(0)]);
        }
        self
    }

    pub(super) fn words(self) -> Vec<u16> {
        self.words
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}
