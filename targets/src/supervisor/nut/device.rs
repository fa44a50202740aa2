//! One power device as a NUT server holds it.

use std::borrow::Cow;

use indexmap::IndexMap;

/// A device: its variables and commands, and whether they can be trusted.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// Its name as configured.
    pub name: String,
    /// What `UPSDESC` says; empty is served as `Unavailable`.
    pub description: String,
    /// Whether its driver is there and its data fresh.
    pub link: Link,
    /// A forced shutdown is ordered: `ups.status` is served as `FSD …`.
    pub fsd: bool,
    variables: IndexMap<String, Variable>,
    commands: Vec<String>,
}

/// The way from the server to the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Data are fresh.
    Up,
    /// Data are older than allowed.
    Stale,
    /// There is no connection to the device.
    #[default]
    Down,
}

/// A variable of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variable {
    /// Its value as text.
    pub value: String,
    /// It may be set.
    pub writable: bool,
    /// It is text of at most this many bytes; `None` is a number.
    pub text: Option<usize>,
    /// The only values that it may be set to; empty is no such limit.
    pub choices: Vec<String>,
    /// The ranges that it may be set within; empty is no such limit.
    pub ranges: Vec<Range>,
}

/// A closed range of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least value.
    pub min: i64,
    /// The greatest value.
    pub max: i64,
}

impl Device {
    /// A device of which nothing has been heard.
    pub fn new(name: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            ..Self::default()
        }
    }

    /// A variable by name, in any case of letters.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.find(name).map(|key| &self.variables[key])
    }

    /// All variables, in order of name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.variables.iter().map(|(name, v)| (name.as_str(), v))
    }

    /// The value of a variable as served: `FSD` is put before `ups.status`.
    pub fn served<'v>(&self, name: &str, variable: &'v Variable) -> Cow<'v, str> {
        if self.fsd && name.eq_ignore_ascii_case("ups.status") {
            format!("FSD {}", variable.value).into()
        } else {
            variable.value.as_str().into()
        }
    }

    /// Sets the value of a variable; a new one is a read-only number or text by
    /// what it holds.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if let Some(variable) = self.variables.get_mut(name) {
            variable.value = value;
            return;
        }
        if let Some(key) = self.find(name).map(str::to_string)
            && let Some(variable) = self.variables.get_mut(&key)
        {
            variable.value = value;
            return;
        }
        let text = value.parse::<f64>().is_err().then_some(value.len().max(64));
        self.define(
            name,
            Variable {
                value,
                text,
                ..Variable::default()
            },
        );
    }

    /// Defines a variable whole.
    pub fn define(&mut self, name: &str, variable: Variable) {
        let key = self.find(name).map_or_else(|| name.into(), str::to_string);
        self.variables.insert(key, variable);
        self.variables.sort_keys();
    }

    /// Drops every variable that `keep` does not hold to.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.variables.retain(|name, _| keep(name));
    }

    /// Commands by name, in order.
    pub fn commands(&self) -> &[String] {
        &self.commands
    }

    /// Replaces the commands.
    pub fn set_commands(&mut self, mut commands: Vec<String>) {
        commands.sort();
        commands.dedup();
        self.commands = commands;
    }

    /// The configured spelling of a command.
    pub(super) fn command(&self, name: &str) -> Option<&str> {
        self.commands
            .iter()
            .find(|c| c.eq_ignore_ascii_case(name))
            .map(String::as_str)
    }

    /// The configured spelling of a variable.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.variables
            .keys()
            .find(|key| key.eq_ignore_ascii_case(name))
            .map(String::as_str)
    }
}
