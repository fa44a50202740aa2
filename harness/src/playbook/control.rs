//! A changed copy of a playbook, by paths such as
//! `site.ups-a.battery.condition`.

use std::sync::Arc;

use serde_json::Value as Json;

use super::errors::{PlaybookErrors, Problem};
use super::load::{Loaded, decode};
use super::model::Control;
use super::schema::Shape;
use super::source::Place;
use super::tree::{Entry, Node, Value};
use super::validate::validate;
use super::words::{did_you_mean, names};

impl Loaded {
    /// The copy that a control asks for: its changes made, without controls of
    /// its own.
    ///
    /// # Errors
    /// A path that names nothing, or a value that does not fit there, each at
    /// its place in the control.
    pub fn with_control(&self, control: &Control) -> Result<Self, PlaybookErrors> {
        self.changed(control).map_err(|problems| {
            PlaybookErrors::collect(problems, &self.sources).unwrap_or_else(|| {
                // Only a gap in the checks leads here.
                let message = format!("control `{}` cannot be applied", control.name);
                let place = self.tree.key_place_of("controls");
                PlaybookErrors::of(Problem::new(place, message, "here"), &self.sources)
            })
        })
    }

    /// As [`with_control`](Self::with_control), with problems that are not yet
    /// tied to the text.
    pub(crate) fn changed(&self, control: &Control) -> Result<Self, Vec<Problem>> {
        let mut tree = self.tree.clone();
        let written = self
            .tree
            .get("controls")
            .and_then(|controls| named(controls, &control.name))
            .and_then(|control| control.get("set"));
        let mut problems = Vec::new();
        for (path, json) in &control.set {
            let entry = written.and_then(|set| set.entries().iter().find(|e| &e.key == path));
            let place = entry.map_or(self.tree.key_place_of("controls"), |e| e.key_place);
            let same = entry.filter(|e| &e.value.to_json() == json);
            let value = same.map_or_else(|| Node::from_json(json, place), |e| e.value.clone());
            match resolve(&tree, path) {
                Ok(steps) => put(&mut tree, &steps, value, place),
                // What it would name may stand where nothing could be read.
                Err(why) if self.gaps.below(&why.before) && !why.before.is_empty() => {}
                Err(why) => problems.push(why.at(place, path)),
            }
        }
        if let Value::Map(entries) = &mut tree.value {
            entries.retain(|e| e.key != "controls");
        }
        problems.extend(validate(&tree));
        // A value that could not be read was told where it stands.
        if !problems.is_empty() || tree.is_broken() {
            return Err(problems);
        }
        let mut changed = decode(tree, self.path.clone(), Arc::clone(&self.sources))
            .map_err(|problem| vec![*problem])?;
        // A world that was chosen for the playbook is the control's as well.
        if !control.set.contains_key("world") {
            changed.playbook.world = self.playbook.world;
        }
        // So are the containers of a project that were found for it.
        if changed.playbook.stack.compose.is_some() && self.playbook.stack.network.is_some() {
            changed.playbook.stack = self.playbook.stack.clone();
        }
        Ok(changed)
    }
}

/// An item of a list by its `name`.
fn named<'n>(list: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::List(items) = &list.value else {
        return None;
    };
    let is = |item: &&Node| item.get("name").and_then(Node::text) == Some(name);
    items.iter().find(is)
}

/// Why a path names nothing.
struct NoSuchPath {
    segment: String,
    before: String,
    candidates: Vec<String>,
    ambiguous: Vec<String>,
}

impl NoSuchPath {
    fn at(self, place: Place, path: &str) -> Problem {
        let Self {
            segment, before, ..
        } = &self;
        if !self.ambiguous.is_empty() {
            return Problem::new(place, format!("`{path}` is ambiguous"), "more than one")
                .help(format!("write {}", self.ambiguous.join(" or ")));
        }
        let inside = if before.is_empty() {
            "the playbook".to_string()
        } else {
            format!("`{before}`")
        };
        let all = self.candidates.iter().map(String::as_str);
        let hint = did_you_mean(segment, all.clone());
        let message = match &hint {
            Some(hint) => format!("no `{segment}` in {inside}; {hint}"),
            None => format!("no `{segment}` in {inside}"),
        };
        Problem::new(place, message, "names nothing").help(format!("there: {}", names(all)))
    }
}

/// A place in the playbook that may not be written yet: what is there, and what
/// may be.
#[derive(Clone, Copy)]
struct Spot<'n> {
    node: Option<&'n Node>,
    shape: Shape<'static>,
}

impl<'n> Spot<'n> {
    /// One step down, by key, index, or name of a list's item. Gives the key as
    /// it is in the tree.
    fn step(&self, segment: &str) -> Option<(String, Spot<'n>)> {
        let child = self.node.and_then(|n| n.get(segment));
        let free = self.shape.free().map(Shape::of);
        let schema = self.shape.property(segment).map(Shape::of);
        if let Some(shape) = schema.or(free.filter(|_| child.is_some())) {
            return Some((segment.to_string(), Spot { node: child, shape }));
        }
        if let Some(variants) = self.shape.variants() {
            let held = variants.iter().find(|v| v.name == segment)?.content?;
            child?;
            let shape = Shape::of(held);
            return Some((segment.to_string(), Spot { node: child, shape }));
        }
        let items = self.shape.schema.get("items").map(Shape::of);
        let tuple = || {
            let index = segment.parse::<usize>().ok()?;
            self.shape
                .schema
                .get("prefixItems")?
                .get(index)
                .map(Shape::of)
        };
        let shape = items.or_else(tuple)?;
        if child.is_some() {
            return Some((segment.to_string(), Spot { node: child, shape }));
        }
        let Value::List(all) = &self.node?.value else {
            return None;
        };
        let is = |item: &Node| item.get("name").and_then(Node::text) == Some(segment);
        let index = all.iter().position(is)?;
        let node = all.get(index);
        Some((index.to_string(), Spot { node, shape }))
    }

    /// The groups a name may be found in without saying so: `ups`, `nodes`, the
    /// one program of a service, the one kind of an enum.
    fn groups(&self) -> Vec<(String, Spot<'n>)> {
        let entries = self.node.map(Node::entries).unwrap_or_default();
        let maps = entries
            .iter()
            .filter(|e| matches!(e.value.value, Value::Map(_)));
        maps.filter_map(|e| self.step(&e.key)).collect()
    }

    fn candidates(&self) -> Vec<String> {
        // What people name comes before the keys that every site has.
        let mut all: Vec<String> = Vec::new();
        let mut keys: Vec<String> = self.shape.properties().map(str::to_string).collect();
        for (_, group) in self.groups() {
            let entries = group.node.map(Node::entries).unwrap_or_default();
            all.extend(entries.iter().map(|e| e.key.clone()));
            keys.extend(group.shape.properties().map(str::to_string));
        }
        match self.node.map(|n| &n.value) {
            Some(Value::Map(entries)) => all.extend(entries.iter().map(|e| e.key.clone())),
            Some(Value::List(items)) => all.extend((0..items.len()).map(|i| {
                let name = items[i].get("name").and_then(Node::text);
                name.map_or_else(|| i.to_string(), str::to_string)
            })),
            _ => {}
        }
        all.append(&mut keys);
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|name| seen.insert(name.clone()));
        all
    }
}

/// The full path of keys that a short one means.
fn resolve(tree: &Node, path: &str) -> Result<Vec<String>, NoSuchPath> {
    let mut spot = Spot {
        node: Some(tree),
        shape: Shape::root(),
    };
    let mut steps: Vec<String> = Vec::new();
    for segment in path.split('.') {
        let fail = |ambiguous: Vec<String>| NoSuchPath {
            segment: segment.to_string(),
            before: steps.join("."),
            candidates: spot.candidates(),
            ambiguous,
        };
        if steps.is_empty() && segment == "controls" {
            return Err(fail(Vec::new()));
        }
        let direct = spot.step(segment).map(|(key, next)| (vec![key], next));
        let mut found: Vec<(Vec<String>, Spot<'_>)> = direct.into_iter().collect();
        // What is written in a group comes before what could be written beside it:
        // `stack.gateway.health` is the gateway's own.
        let beside = !found.is_empty() && spot.node.is_some_and(|it| it.get(segment).is_none());
        if beside && !steps.is_empty() {
            let there = |group: &str| spot.node.is_some_and(|it| it.get(group).is_some());
            let inside: Vec<_> = spot
                .groups()
                .into_iter()
                .filter(|(group, _)| there(group))
                .filter_map(|(group, inner)| {
                    let (key, next) = inner.step(segment)?;
                    Some((vec![group, key], next))
                })
                .collect();
            if inside.len() == 1 {
                found = inside;
            }
        }
        // From the top, every path begins with what it changes.
        if found.is_empty() && !steps.is_empty() {
            for (group, inner) in spot.groups() {
                let inner = inner.step(segment);
                found.extend(inner.map(|(key, next)| (vec![group, key], next)));
            }
        }
        match found.as_slice() {
            [(keys, next)] => {
                steps.extend(keys.iter().cloned());
                spot = *next;
            }
            [] => return Err(fail(Vec::new())),
            several => {
                let full = |keys: &[String]| format!("`{}.{}`", steps.join("."), keys.join("."));
                let all = several.iter().map(|(keys, _)| full(keys)).collect();
                return Err(fail(all));
            }
        }
    }
    Ok(steps)
}

/// Puts a value at a full path, making the mappings on the way that are not
/// written.
fn put(node: &mut Node, steps: &[String], value: Node, place: Place) {
    let Some((key, rest)) = steps.split_first() else {
        *node = value;
        return;
    };
    if node.get(key).is_none() {
        if !matches!(node.value, Value::Map(_)) {
            node.value = Value::Map(Vec::new());
        }
        if let Value::Map(entries) = &mut node.value {
            entries.push(Entry {
                key: key.clone(),
                key_place: place,
                value: Node::from_json(&Json::Null, place),
            });
        }
    }
    if let Some(child) = node.get_mut(key) {
        put(child, rest, value, place);
    }
}
