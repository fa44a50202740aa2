//! The parts of a playbook that could not be read.
//!
//! The rest of it is looked at all the same; what is asked here is whether a
//! finding might only follow from such a part.

use std::collections::BTreeSet;

/// Places, by dotted path, of which nothing is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps {
    /// A value that could not be read, or is missing: anything may stand there.
    unread: BTreeSet<String>,
    /// A mapping with an unknown key: any of its keys may have been meant.
    lacking: BTreeSet<String>,
}

impl Gaps {
    pub(super) fn unread(&mut self, path: &[String]) {
        self.unread.insert(path.join("."));
    }

    pub(super) fn lacking(&mut self, path: &[String]) {
        self.lacking.insert(path.join("."));
    }

    /// Whether the value at a path could not be read, or one that it is part of.
    pub(crate) fn cover(&self, path: &str) -> bool {
        self.unread.iter().any(|gap| is_within(path, gap))
    }

    /// Whether the mapping at a path may have more keys than were understood.
    pub(crate) fn lack(&self, path: &str) -> bool {
        self.lacking.contains(path)
    }

    /// Whether something wrong at a path may only follow from a gap.
    pub(crate) fn hide(&self, path: &str) -> bool {
        self.cover(path) || self.lack(path) || self.lack(parent(path))
    }

    /// Whether a gap is at a path, above it, or at most `depth` steps below.
    pub(crate) fn near(&self, path: &str, depth: usize) -> bool {
        let steps = |gap: &str| gap.matches('.').count() - path.matches('.').count();
        self.hide(path) || self.any(|gap| is_within(gap, path) && steps(gap) <= depth)
    }

    /// Whether a gap is at a path or anywhere below.
    pub(crate) fn below(&self, path: &str) -> bool {
        self.near(path, usize::MAX)
    }

    /// Whether a gap has a path like this.
    pub(crate) fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        self.unread.iter().chain(&self.lacking).any(|gap| is(gap))
    }

    /// Whether every name of a sort is known, by what messages call it.
    pub(crate) fn names_stand(&self, noun: &str) -> bool {
        match noun {
            "utility" => !self.near("site.utilities", 0),
            "UPS" => !self.near("site.ups", 0),
            "PDU" => !self.near("site.pdus", 0),
            "generator" => !self.near("site.generators", 0),
            "transfer switch" => !self.near("site.transfers", 0),
            "cooling unit" => !self.near("site.cooling", 0),
            "feed" => !self.near("site.feeds", 0),
            "rack" => !self.near("site.racks", 0),
            "component" => ["utility", "UPS", "PDU"]
                .iter()
                .all(|n| self.names_stand(n)),
            "node" => !self.near("stack.nodes", 0),
            "service" => !self.near("stack.services", 0),
            "node or service" => ["node", "service", "UPS"]
                .iter()
                .all(|n| self.names_stand(n)),
            "replica" => !self.near("stack.services", 2),
            "phase" => !self.near("phases", 0),
            "class" => {
                let class = |gap: &str| is_within(gap, "load") && gap.ends_with(".class");
                !self.near("load", 1) && !self.any(class)
            }
            "assertion" => !self.near("assert", 1),
            _ => !self.any(|_| true),
        }
    }
}

/// Whether a path is another one, or below it.
fn is_within(path: &str, above: &str) -> bool {
    above.is_empty()
        || path
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(above, _)| above)
}
