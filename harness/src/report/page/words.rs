//! Words that come again and again, told once.

use indexmap::IndexSet;

/// Words and their places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    all: IndexSet<String>,
}

impl Words {
    /// The place of a word.
    pub(crate) fn of(&mut self, word: &str) -> u64 {
        let place = match self.all.get_index_of(word) {
            Some(place) => place,
            None => self.all.insert_full(word.into()).0,
        };
        place as u64
    }

    /// Every word, each at its place.
    pub(crate) fn all(self) -> Vec<String> {
        self.all.into_iter().collect()
    }
}
