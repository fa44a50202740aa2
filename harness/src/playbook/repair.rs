//! What is done to a tree that is not a playbook, so that the rest of it can be
//! looked at.

use super::gaps::Gaps;
use super::placeholder::{Maker, Size};
use super::schema::Shape;
use super::source::Place;
use super::tree::{Entry, Node, Value};

/// One repair. Paths are of the tree with all earlier repairs made.
#[derive(Clone)]
pub(crate) enum Fix {
    /// The value cannot be read, or is missing: a placeholder takes its place.
    Put {
        /// Where.
        path: Vec<String>,
        /// What belongs there.
        shape: Shape<'static>,
    },
    /// An unknown key that is close to nothing is left out.
    Drop {
        /// The mapping.
        path: Vec<String>,
        /// Its key.
        key: String,
    },
    /// A misspelt key is taken for what was most likely meant.
    Rename {
        /// The mapping.
        path: Vec<String>,
        /// As written.
        from: String,
        /// As meant.
        to: String,
    },
}

/// The repaired tree, twice, with placeholders of either size, and the gaps in
/// both. None if nothing of the tree can be kept.
pub(crate) fn repair(tree: &Node, fixes: &[Fix]) -> Option<([Node; 2], Gaps)> {
    let mut gaps = Gaps::default();
    for fix in fixes {
        match fix {
            Fix::Put { path, .. } if path.is_empty() => return None,
            Fix::Put { path, .. } => gaps.unread(path),
            Fix::Drop { path, .. } => gaps.lacking(path),
            Fix::Rename { .. } => {}
        }
    }
    let trees = [Size::Small, Size::Large].map(|size| {
        let mut tree = tree.clone();
        let mut maker = Maker::new(size);
        fixes
            .iter()
            .for_each(|fix| apply(&mut tree, fix, &mut maker));
        tree
    });
    Some((trees, gaps))
}

fn apply(tree: &mut Node, fix: &Fix, maker: &mut Maker) {
    match fix {
        Fix::Put { path, shape } => {
            let Some((last, above)) = path.split_last() else {
                return;
            };
            if let Some(node) = at(tree, above) {
                put(node, last, |place| maker.make(*shape, place));
            }
        }
        Fix::Drop { path, key } => {
            if let Some(Value::Map(entries)) = at(tree, path).map(|n| &mut n.value) {
                entries.retain(|e| &e.key != key);
            }
        }
        Fix::Rename { path, from, to } => {
            if let Some(Value::Map(entries)) = at(tree, path).map(|n| &mut n.value) {
                let misspelt = entries.iter_mut().find(|e| &e.key == from);
                misspelt.into_iter().for_each(|e| e.key.clone_from(to));
            }
        }
    }
}

fn at<'n>(tree: &'n mut Node, path: &[String]) -> Option<&'n mut Node> {
    let mut node = tree;
    for segment in path {
        node = node.get_mut(segment)?;
    }
    Some(node)
}

fn put(node: &mut Node, key: &str, make: impl FnOnce(Place) -> Node) {
    if let Some(child) = node.get_mut(key) {
        *child = make(child.place);
        return;
    }
    let key_place = node.entries().first().map_or(node.place, |e| e.key_place);
    if let Value::Map(entries) = &mut node.value {
        entries.push(Entry {
            key: key.into(),
            key_place,
            value: make(key_place),
        });
    }
}
