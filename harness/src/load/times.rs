//! When the tokens of one answer came, kept small: a long run holds millions.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use ridethrough_targets::clock::Micros;

/// When each content token came, in order: the first as run time, the others
/// as the gap to the one before, in microseconds. Exact, whatever the numbers.
///
/// A record holds it as a plain list of numbers. In memory a gap takes four
/// bytes; only an answer with a gap of more than 71 minutes, which four bytes
/// cannot hold, takes eight for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenTimes {
    first: Option<Micros>,
    gaps: Gaps,
}

/// The gaps of one answer. `Long` only where one of them needs it, so that
/// equal answers are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gaps {
    Short(Box<[u32]>),
    Long(Box<[Micros]>),
}

impl Default for Gaps {
    fn default() -> Self {
        Self::Short(Box::default())
    }
}

impl TokenTimes {
    /// When the first token came, in run time.
    pub fn first(&self) -> Option<Micros> {
        self.first
    }

    /// When the last token came, in run time.
    pub fn last(&self) -> Option<Micros> {
        Some(self.gaps().fold(self.first?, Micros::saturating_add))
    }

    /// The gaps between tokens: one less than there are tokens.
    pub fn gaps(&self) -> impl Iterator<Item = Micros> + '_ {
        let (short, long): (&[u32], &[Micros]) = match &self.gaps {
            Gaps::Short(gaps) => (gaps, &[]),
            Gaps::Long(gaps) => (&[], gaps),
        };
        let short = short.iter().map(|gap| Micros::from(*gap));
        short.chain(long.iter().copied())
    }

    /// The numbers as a record holds them: the first time, then the gaps.
    pub fn iter(&self) -> impl Iterator<Item = Micros> + '_ {
        self.first.into_iter().chain(self.gaps())
    }

    /// Tokens.
    pub fn len(&self) -> usize {
        let gaps = match &self.gaps {
            Gaps::Short(gaps) => gaps.len(),
            Gaps::Long(gaps) => gaps.len(),
        };
        gaps + usize::from(self.first.is_some())
    }

    /// No token came.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl FromIterator<Micros> for TokenTimes {
    fn from_iter<I: IntoIterator<Item = Micros>>(numbers: I) -> Self {
        let mut numbers = numbers.into_iter();
        let first = numbers.next();
        let mut short = Vec::with_capacity(numbers.size_hint().0);
        let gaps = loop {
            let Some(gap) = numbers.next() else {
                break Gaps::Short(short.into_boxed_slice());
            };
            match u32::try_from(gap) {
                Ok(gap) => short.push(gap),
                Err(_) => {
                    let before = short.into_iter().map(Micros::from);
                    break Gaps::Long(before.chain([gap]).chain(numbers).collect());
                }
            }
        };
        Self { first, gaps }
    }
}

impl From<Vec<Micros>> for TokenTimes {
    fn from(numbers: Vec<Micros>) -> Self {
        numbers.into_iter().collect()
    }
}

impl Serialize for TokenTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for TokenTimes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;

        impl<'de> Visitor<'de> for Numbers {
            type Value = TokenTimes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of microseconds")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TokenTimes, A::Error> {
                // The first error ends the list and is what is returned.
                std::iter::from_fn(|| seq.next_element::<Micros>().transpose()).collect()
            }
        }

        deserializer.deserialize_seq(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::TokenTimes;

    #[test]
    fn a_gap_beyond_four_bytes_is_kept_exactly() {
        let limit = u64::from(u32::MAX);
        let numbers = [7_000_000_000, 20, limit, limit + 1, 0, 30];
        let times = TokenTimes::from_iter(numbers);
        assert_eq!(times.iter().collect::<Vec<_>>(), numbers);
        assert_eq!((times.len(), times.first()), (6, Some(7_000_000_000)));
        assert_eq!(times.last(), Some(numbers.iter().sum()));
        assert!(TokenTimes::default().is_empty());
        assert_eq!(TokenTimes::default().last(), None);
    }

    proptest! {
        /// Whatever the numbers, nothing is rounded, cut or lost, in memory and
        /// in a record.
        #[test]
        fn numbers_come_back_exactly(
            numbers in proptest::collection::vec(
                prop_oneof![8 => 0u64..100_000, 1 => 0u64..=u64::from(u32::MAX) + 2, 1 => any::<u64>()],
                0..100,
            ),
        ) {
            let times = TokenTimes::from(numbers.clone());
            prop_assert_eq!(times.iter().collect::<Vec<_>>(), numbers.clone());
            prop_assert_eq!(times.len(), numbers.len());
            prop_assert_eq!(times.gaps().count(), numbers.len().saturating_sub(1));
            let json = serde_json::to_string(&times).expect("json");
            prop_assert_eq!(&json, &serde_json::to_string(&numbers).expect("json"));
            prop_assert_eq!(serde_json::from_str::<TokenTimes>(&json).expect("times"), times);
        }
    }
}
