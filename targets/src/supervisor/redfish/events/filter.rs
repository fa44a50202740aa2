//! Which events a receiver wants.

use super::log::Event;

/// Terms that a filter may have.
const MAX_TERMS: usize = 32;
/// Brackets within brackets.
const MAX_DEPTH: usize = 4;

/// The filter of a subscription: empty lists let everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Filter {
    pub(super) prefixes: Vec<String>,
    pub(super) not_prefixes: Vec<String>,
    pub(super) messages: Vec<String>,
    pub(super) not_messages: Vec<String>,
    pub(super) types: Vec<String>,
    pub(super) kinds: Vec<String>,
    pub(super) severities: Vec<String>,
    pub(super) origins: Vec<String>,
    /// Origins below those are wanted too.
    pub(super) subordinate: bool,
    /// A stream's `$filter`.
    pub(super) rule: Option<Rule>,
}

/// A stream's `$filter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Any(Vec<Rule>),
    All(Vec<Rule>),
    /// `Property eq 'value'`.
    Term(&'static str, String),
}

/// The properties that a `$filter` may name.
const PROPERTIES: [&str; 6] = [
    "RegistryPrefix",
    "MessageId",
    "ResourceType",
    "OriginResource",
    "EventType",
    "MessageSeverity",
];

fn among(list: &[String], value: &str) -> bool {
    list.iter().any(|one| one == value)
}

/// `Power.1.2.OutletPoweredOff`, with or without its version.
fn is_message(wanted: &str, id: &str) -> bool {
    let short = |id: &str| {
        let mut parts = id.split('.');
        let prefix = parts.next().unwrap_or_default().to_string();
        format!("{prefix}.{}", id.rsplit('.').next().unwrap_or_default())
    };
    wanted == id || wanted == short(id)
}

fn origin(event: &Event) -> (&str, &str) {
    event
        .origin
        .as_ref()
        .map_or(("", ""), |(uri, kind)| (uri, kind))
}

impl Filter {
    /// Whether it lets an event through.
    pub(in super::super) fn wants(&self, event: &Event) -> bool {
        let message = &event.message;
        let (uri, kind) = origin(event);
        let empty_or = |list: &[String], value: &str| list.is_empty() || among(list, value);
        let of = |list: &[String]| list.iter().any(|m| is_message(m, &message.id));
        let here = |wanted: &String| {
            uri == wanted
                || (self.subordinate
                    && uri
                        .strip_prefix(wanted.as_str())
                        .is_some_and(|rest| rest.starts_with('/')))
        };
        empty_or(&self.prefixes, message.prefix())
            && !among(&self.not_prefixes, message.prefix())
            && (self.messages.is_empty() || of(&self.messages))
            && !of(&self.not_messages)
            && empty_or(&self.types, kind)
            && empty_or(&self.kinds, &event.kind)
            && empty_or(&self.severities, &message.severity)
            && (self.origins.is_empty() || self.origins.iter().any(here))
            && self.rule.as_ref().is_none_or(|rule| rule.holds(event))
    }

    /// Reads a stream's `$filter`: terms, `and`, `or` and brackets.
    pub(in super::super) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader {
            rest: text,
            terms: 0,
        };
        let rule = reader.any(0)?;
        (reader.rest.trim().is_empty() && reader.terms <= MAX_TERMS).then(|| Self {
            rule: Some(rule),
            ..Self::default()
        })
    }
}

/// Reads a `$filter` from the left.
struct Reader<'a> {
    rest: &'a str,
    terms: usize,
}

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any(&mut self, depth: usize) -> Option<Rule> {
        let mut rules = vec![self.all(depth)?];
        while self.eat("or ") {
            rules.push(self.all(depth)?);
        }
        Some(Rule::Any(rules))
    }

    fn all(&mut self, depth: usize) -> Option<Rule> {
        let mut rules = vec![self.one(depth)?];
        while self.eat("and ") {
            rules.push(self.one(depth)?);
        }
        Some(Rule::All(rules))
    }

    fn one(&mut self, depth: usize) -> Option<Rule> {
        if self.eat("(") {
            let rule = (depth < MAX_DEPTH).then(|| self.any(depth + 1))??;
            return self.eat(")").then_some(rule);
        }
        let property = PROPERTIES.into_iter().find(|name| self.eat(name))?;
        if !self.eat("eq ") || !self.eat("'") {
            return None;
        }
        let (value, rest) = self.rest.split_once('\'')?;
        self.rest = rest;
        self.terms += 1;
        Some(Rule::Term(property, value.into()))
    }
}

impl Rule {
    fn holds(&self, event: &Event) -> bool {
        let (uri, kind) = origin(event);
        match self {
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(event)),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(event)),
            Self::Term(property, value) => match *property {
                "RegistryPrefix" => event.message.prefix() == value,
                "MessageId" => is_message(value, &event.message.id),
                "ResourceType" => kind == value,
                "OriginResource" => uri == value,
                "EventType" => &event.kind == value,
                _ => &event.message.severity == value,
            },
        }
    }
}
