//! Mappings: keys that are known, misspelt, unknown or missing.

use super::errors::Problem;
use super::repair::Fix;
use super::schema::{Shape, text};
use super::source::Place;
use super::tree::{Entry, Node, Value};
use super::validate::{Validator, head, required};
use super::words::{closest, list};

impl Validator {
    /// A mapping against its schema.
    pub(super) fn object(
        &mut self,
        node: &Node,
        entries: &[Entry],
        shape: Shape<'static>,
        owner: &str,
        key: Place,
    ) {
        if let Some(other) = mistaken(node, shape) {
            let place = if key.len > 0 { key } else { head(node) };
            return self.refuse(Problem::new(place, other, "another kind of file"), shape);
        }
        let known: Vec<&'static str> = shape.properties().collect();
        let missing: Vec<&'static str> = required(shape.schema)
            .into_iter()
            .filter(|name| node.get(name).is_none())
            .collect();
        // What was guessed at, and what of it was then taken for meant.
        let (mut guessed, mut taken) = (Vec::new(), Vec::new());
        for entry in entries {
            if let Some(schema) = shape.property(&entry.key).or(shape.free()) {
                let owner = format!("`{}`", entry.key);
                self.child(&entry.key, &entry.value, schema, &owner, entry.key_place);
                continue;
            }
            // A missing key is the likelier meaning of a misspelt one.
            let guess = closest(&entry.key, missing.iter().copied())
                .or_else(|| closest(&entry.key, absent(&known, node)))
                .or_else(|| closest(&entry.key, known.iter().copied()));
            guessed.extend(guess);
            self.unknown_key(entry, &known, guess, owner);
            let meant = guess.filter(|key| node.get(key).is_none() && !taken.contains(key));
            match meant.filter(|key| self.taken_for(entry, key, shape)) {
                Some(key) => taken.push(key),
                None => self.fixes.push(Fix::Drop {
                    path: self.path.clone(),
                    key: entry.key.clone(),
                }),
            }
        }
        for name in missing.iter().filter(|name| !taken.contains(name)) {
            if let Some(schema) = shape.property(name) {
                let mut path = self.path.clone();
                path.push((*name).to_string());
                let shape = Shape::of(schema);
                self.fixes.push(Fix::Put { path, shape });
            }
        }
        let told = |name: &&str| !guessed.contains(name);
        let missing: Vec<&str> = missing.into_iter().filter(told).collect();
        if !missing.is_empty() {
            let place = if key.len > 0 { key } else { head(node) };
            self.missing(&missing, shape, owner, place);
        }
    }

    /// Looks at what stands under a misspelt key as if it were spelt well. Where
    /// it does not fit there at all, the guess was a bad one.
    fn taken_for(&mut self, entry: &Entry, meant: &str, shape: Shape<'static>) -> bool {
        let Some(schema) = shape.property(meant) else {
            return false;
        };
        let (problems, fixes) = (self.problems.len(), self.fixes.len());
        self.fixes.push(Fix::Rename {
            path: self.path.clone(),
            from: entry.key.clone(),
            to: meant.to_string(),
        });
        let owner = format!("`{}`", entry.key);
        self.child(meant, &entry.value, schema, &owner, entry.key_place);
        let whole = self.path.len() + 1;
        let fits = self.fixes[fixes..]
            .iter()
            .all(|fix| !matches!(fix, Fix::Put { path, .. } if path.len() == whole));
        if !fits && !matches!(entry.value.value, Value::Broken) {
            self.problems.truncate(problems);
            self.fixes.truncate(fixes);
            return false;
        }
        true
    }

    fn missing(&mut self, missing: &[&str], shape: Shape<'static>, owner: &str, place: Place) {
        let first = shape
            .property(missing[0])
            .map_or("", |s| text(s, "description"));
        let mut problem = Problem::new(
            place,
            format!("{owner}: missing {}", list(missing, "and")),
            "incomplete",
        );
        // "Its name." says no more than the key does.
        if missing.len() == 1 && first.len() > 12 {
            problem = problem.help(format!("`{}`: {}", missing[0], one_line(first)));
        }
        self.push(problem);
    }

    fn unknown_key(&mut self, entry: &Entry, known: &[&str], guess: Option<&str>, owner: &str) {
        let key = &entry.key;
        let message = match guess {
            Some(guess) => format!("unknown key `{key}`; did you mean `{guess}`?"),
            None => format!("unknown key `{key}` in {owner}"),
        };
        let mut problem = Problem::new(entry.key_place, message, "not known here");
        if guess.is_none() {
            problem = problem.help(format!("known here: {}", known.join(", ")));
        }
        self.push(problem);
    }
}

/// One kind of file in the place of another, by the keys that only it has.
fn mistaken(node: &Node, shape: Shape<'static>) -> Option<String> {
    let kinds = [
        ("Playbook", "a playbook", ["load", "assert"]),
        ("Site", "a site", ["utilities", "racks"]),
        ("StackSpec", "a stack", ["nodes", "services"]),
    ];
    let expected = kinds.iter().find(|k| shape.name == Some(k.0))?;
    let has = |keys: &[&str; 2]| keys.iter().all(|key| node.get(key).is_some());
    let found = kinds.iter().find(|k| k.0 != expected.0 && has(&k.2))?;
    (!has(&expected.2)).then(|| format!("this is {}, not {}", found.1, expected.1))
}

/// Properties that are not written.
fn absent<'a>(
    known: &'a [&'static str],
    node: &'a Node,
) -> impl Iterator<Item = &'static str> + use<'a> {
    let all = known.iter().copied();
    all.filter(|name| node.get(name).is_none())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
