//! From text to a tree with places, by YAML 1.2 events.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::errors::Problem;
use super::source::Place;
use super::syntax::{explain, plain};
use super::tree::{Entry, Node, Value, resolve};

/// Deeper nesting than this is refused; a playbook needs about eight.
const MAX_DEPTH: usize = 64;
/// More values than this are refused, so that aliases cannot multiply without
/// end.
const MAX_NODES: usize = 200_000;

/// Reads one document. Mistakes that leave a tree to look at (a duplicate key)
/// are only added to `problems`.
///
/// # Errors
/// `None` where the text is not YAML; `problems` then says why.
pub(crate) fn parse(text: &str, source: usize, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut builder = Builder {
        text,
        source,
        bytes: byte_index(text),
        problems,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        tagged: BTreeSet::new(),
        nodes: 0,
        documents: 0,
        end_of_text: text.trim_end().len(),
    };
    builder.run()
}

/// The byte at which each character starts; the parser counts characters.
fn byte_index(text: &str) -> Vec<usize> {
    text.char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .collect()
}

/// A collection that is still open.
enum Open {
    List {
        place: Place,
        anchor: usize,
        items: Vec<Node>,
    },
    Map {
        place: Place,
        anchor: usize,
        entries: Vec<Entry>,
        /// Where each key was first written.
        seen: BTreeMap<String, Place>,
        key: Option<(String, Place)>,
    },
}

struct Builder<'a> {
    text: &'a str,
    source: usize,
    bytes: Vec<usize>,
    problems: &'a mut Vec<Problem>,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
    root: Option<Node>,
    /// Where values begin that were already reported for their tag.
    tagged: BTreeSet<usize>,
    nodes: usize,
    documents: usize,
    end_of_text: usize,
}

impl Builder<'_> {
    fn run(&mut self) -> Option<Node> {
        let mut parser = Parser::new_from_str(self.text);
        while let Some(next) = parser.next_event() {
            match next {
                Ok((event, span)) => self.event(event, span)?,
                Err(error) => {
                    let problem = self.syntax_error(&error);
                    self.problems.push(problem);
                    return None;
                }
            }
        }
        if self.root.is_none() {
            self.problems.push(
                Problem::new(self.place_at(0, 0), "the file is empty", "nothing here")
                    .help("a playbook is a mapping that begins with `name:`"),
            );
        }
        self.root.take()
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let place = self.place(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.problems.push(
                        Problem::new(place, "more than one document in a file", "second document")
                            .help("give each playbook its own file"),
                    );
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place);
                let value = if style == ScalarStyle::Plain {
                    resolve(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                self.value(Node { place, value }, anchor, 1)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place);
                self.open(Open::List {
                    place,
                    anchor,
                    items: Vec::new(),
                })?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place);
                self.open(Open::Map {
                    place,
                    anchor,
                    entries: Vec::new(),
                    seen: BTreeMap::new(),
                    key: None,
                })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place)?,
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    self.problems.push(Problem::new(
                        place,
                        "this alias points into itself",
                        "not complete here",
                    ));
                    return None;
                };
                self.value(node, 0, size)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn open(&mut self, open: Open) -> Option<()> {
        if self.stack.len() >= MAX_DEPTH {
            let (Open::List { place, .. } | Open::Map { place, .. }) = open;
            self.problems.push(Problem::new(
                place,
                format!("nested deeper than {MAX_DEPTH} levels"),
                "too deep",
            ));
            return None;
        }
        self.stack.push(open);
        Some(())
    }

    fn close(&mut self, end: Place) -> Option<()> {
        let (node, anchor) = match self.stack.pop()? {
            Open::List {
                place,
                anchor,
                items,
            } => (
                Node {
                    place: place.to(end.start + end.len),
                    value: Value::List(items),
                },
                anchor,
            ),
            Open::Map {
                place,
                anchor,
                entries,
                ..
            } => (
                Node {
                    place: place.to(end.start + end.len),
                    value: Value::Map(merge(entries)),
                },
                anchor,
            ),
        };
        self.value(node, anchor, 1)
    }

    /// Puts a finished value where it belongs. `new` is how many values it adds
    /// to those read so far: one, or all that an alias repeats.
    fn value(&mut self, mut node: Node, anchor: usize, new: usize) -> Option<()> {
        if self.tagged.remove(&node.place.start) {
            node.value = Value::Broken;
        }
        self.nodes += new;
        if self.nodes > MAX_NODES {
            self.problems.push(Problem::new(
                node.place,
                format!("more than {MAX_NODES} values"),
                "too many from here",
            ));
            return None;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), count(&node)));
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map {
                entries, seen, key, ..
            }) => match key.take() {
                None => {
                    let text = key_text(&node, self.text);
                    if !matches!(node.value, Value::List(_) | Value::Map(_)) {
                        *key = Some((text, node.place));
                    } else {
                        self.problems.push(
                            Problem::new(node.place, "a key must be text", "used as a key here")
                                .help("quote text that begins with `{` or `[`"),
                        );
                        return None;
                    }
                }
                Some((key, key_place)) => {
                    if let Some(first) = seen.get(&key).copied() {
                        self.problems.push(
                            Problem::new(key_place, format!("key `{key}` twice"), "again here")
                                .also(first, "first here"),
                        );
                    } else {
                        seen.insert(key.clone(), key_place);
                        entries.push(Entry {
                            key,
                            key_place,
                            value: node,
                        });
                    }
                }
            },
        }
        Some(())
    }

    fn refuse_tag(&mut self, tagged: bool, place: Place) {
        if tagged {
            self.tagged.insert(place.start);
            self.problems.push(
                Problem::new(place, "YAML tags mean nothing here", "tagged")
                    .help("write a kind as a key: `utility_outage: {}`"),
            );
        }
    }

    fn place(&self, span: Span) -> Place {
        self.place_at(span.start.index(), span.end.index())
    }

    fn place_at(&self, from: usize, to: usize) -> Place {
        let byte = |char_index: usize| {
            let at = self.bytes.get(char_index).copied();
            at.unwrap_or(self.text.len())
        };
        let start = byte(from);
        let end = byte(to).max(start);
        // The span of a block ends where the next token begins; the blank
        // space between is not part of it.
        let written = self.text.get(start..end).unwrap_or_default().trim_end();
        Place {
            source: self.source,
            start,
            len: written.len(),
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Problem {
        let at = error.marker().index();
        let mut place = self.place_at(at, at + 1);
        if place.start >= self.end_of_text {
            place.start = self.end_of_text.saturating_sub(1);
            while !self.text.is_char_boundary(place.start) {
                place.start -= 1;
            }
            place.len = 1;
        }
        let line = self.line_at(place.start);
        let (label, help) = explain(error.info(), line);
        Problem::new(
            place,
            format!("not valid YAML: {}", plain(error.info())),
            label,
        )
        .maybe_help(help)
    }

    fn line_at(&self, byte: usize) -> &str {
        let before = self.text.get(..byte).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }
}

/// A scalar used as a key, as it was written where it is not text.
fn key_text(node: &Node, text: &str) -> String {
    match &node.value {
        Value::Text(key) => key.clone(),
        _ => {
            let (start, end) = (node.place.start, node.place.start + node.place.len);
            text.get(start..end).unwrap_or_default().to_string()
        }
    }
}

/// `<<: *base` takes over the keys of `base` that the mapping does not have.
fn merge(mut entries: Vec<Entry>) -> Vec<Entry> {
    let Some(at) = entries.iter().position(|e| e.key == "<<") else {
        return entries;
    };
    if !matches!(entries[at].value.value, Value::Map(_)) {
        return entries;
    }
    let base = entries.remove(at).value;
    for entry in base.entries() {
        if !entries.iter().any(|e| e.key == entry.key) {
            entries.push(entry.clone());
        }
    }
    entries
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|e| count(&e.value)).sum(),
        _ => 0,
    }
}
