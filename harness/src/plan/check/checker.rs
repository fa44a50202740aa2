//! Collects what is wrong after parsing, each at its place.

use crate::playbook::{Gaps, Loaded, Playbook, Problem, closest, names};

use super::super::wiring::Wiring;

/// What a check looks at, and what it found.
pub(crate) struct Checker<'a> {
    /// The playbook.
    pub(crate) playbook: &'a Playbook,
    /// Its tree, for places.
    pub(crate) loaded: &'a Loaded,
    /// What feeds what.
    pub(crate) wiring: Wiring<'a>,
    /// What is wrong so far.
    pub(crate) problems: Vec<Problem>,
    /// The last thing that was wrong was told: it follows from no gap.
    told: bool,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(loaded: &'a Loaded) -> Self {
        Self {
            playbook: &loaded.playbook,
            loaded,
            wiring: Wiring::new(&loaded.playbook),
            problems: Vec::new(),
            told: false,
        }
    }

    /// Whether what could not be read leaves a question open.
    pub(crate) fn unsure(&self, ask: impl FnOnce(&Gaps) -> bool) -> bool {
        ask(&self.loaded.gaps)
    }

    fn tell(&mut self, hidden: bool, problem: Problem) {
        self.told = !hidden;
        if self.told {
            self.problems.push(problem);
        }
    }

    /// The last thing that was wrong, if it was told.
    fn last(&mut self) -> Option<&mut Problem> {
        self.problems.last_mut().filter(|_| self.told)
    }

    /// Something wrong with the value at a dotted path.
    pub(crate) fn wrong(&mut self, path: &str, message: impl Into<String>, label: &str) {
        let place = self.loaded.tree.place_of(path);
        let hidden = self.loaded.gaps.hide(path);
        self.tell(hidden, Problem::new(place, message, label));
    }

    /// As [`wrong`](Self::wrong), at the key of the path.
    pub(crate) fn wrong_key(&mut self, path: &str, message: impl Into<String>, label: &str) {
        let place = self.loaded.tree.key_place_of(path);
        let hidden = self.loaded.gaps.hide(path);
        self.tell(hidden, Problem::new(place, message, label));
    }

    /// A hint for the last thing that was wrong.
    pub(crate) fn hint(&mut self, help: impl Into<String>) {
        if let Some(last) = self.last() {
            last.help = Some(help.into());
        }
    }

    /// A second place for the last thing that was wrong.
    pub(crate) fn also(&mut self, path: &str, label: &str) {
        let place = self.loaded.tree.place_of(path);
        if let Some(last) = self.last() {
            last.also = Some((place, label.into()));
        }
    }

    /// As [`also`](Self::also), at the key of the path.
    pub(crate) fn also_key(&mut self, path: &str, label: &str) {
        let place = self.loaded.tree.key_place_of(path);
        if let Some(last) = self.last() {
            last.also = Some((place, label.into()));
        }
    }

    /// Whether a name is one of those that exist; says so where it is not:
    /// "no node `gpu-b`; the stack has gpu-1, gpu-2".
    pub(crate) fn exists<'n>(
        &mut self,
        path: &str,
        (noun, owner): (&str, &str),
        name: &str,
        all: impl IntoIterator<Item = &'n str>,
    ) -> bool {
        let all: Vec<&str> = all.into_iter().collect();
        if all.contains(&name) {
            return true;
        }
        let have = if all.is_empty() {
            format!("no {noun} `{name}`; {owner} has none")
        } else {
            format!(
                "no {noun} `{name}`; {owner} has {}",
                names(all.iter().copied())
            )
        };
        let place = self.loaded.tree.place_of(path);
        let mut problem = Problem::new(place, have, "no such name");
        problem.unresolved = true;
        let gaps = &self.loaded.gaps;
        let hidden = gaps.cover(path) || !gaps.names_stand(noun);
        self.tell(hidden, problem);
        if let Some(guess) = closest(name, all) {
            self.hint(format!("did you mean `{guess}`?"));
        }
        false
    }

    /// Whether a name may be a host's (RFC 1123 labels, in lower case).
    pub(crate) fn host_name(&mut self, path: &str, noun: &str, name: &str) {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let ends = name.starts_with('-') || name.ends_with('-');
        if name.is_empty() || name.len() > 63 || ends || !name.chars().all(letters) {
            let message = format!("`{name}` cannot be the name of a {noun}");
            self.wrong_key(path, message, "not a host name");
            self.hint("a host name has small letters, digits and `-`, as in `gpu-1`");
        }
    }
}
