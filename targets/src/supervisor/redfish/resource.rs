//! One resource: its document, and what may be done with it.

use serde_json::{Value as Json, json};

use super::doc::etag;
use crate::telemetry::DeviceCommand;

/// What a change or an action does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The device is told this.
    Order(DeviceCommand),
    /// A power cycle's pause passes.
    Pause,
    /// The service itself changes.
    Service(ServiceChange),
}

/// A change of the service's own state.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ServiceChange {
    /// Sessions end after this many idle seconds.
    SessionTimeout(u32),
    /// The servers to ask for the time; kept, not asked.
    NtpServers(Vec<Json>),
    /// An account's password.
    Password(String),
    /// An account's role.
    Role(String),
    /// An account may log in.
    Enabled(bool),
    /// An account's name.
    UserName(String),
    /// A subscription's context.
    Context(String),
    /// What a subscription does with a receiver that does not answer.
    RetryPolicy(String),
}

/// Why a value cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Not of the type.
    Type,
    /// Not one of the list.
    List,
    /// Not in the range.
    Range,
}

type How = Box<dyn Fn(&Json) -> Result<Step, Wrong> + Send + Sync>;

/// A property that may be written.
pub(super) struct Write {
    /// Its path, as `A/B`.
    pub(super) path: &'static str,
    pub(super) how: How,
}

/// A parameter's values, and the steps of each.
type Values = Vec<(&'static str, Vec<Step>)>;

/// An action, as a resource lists it.
pub(super) struct Action {
    /// `Outlet.PowerControl`.
    pub(super) name: &'static str,
    /// Its only parameter, and the steps for each value of it.
    pub(super) parameter: Option<(&'static str, Values)>,
    /// The steps where there is no parameter.
    pub(super) steps: Vec<Step>,
}

/// A resource.
#[derive(Default)]
pub(super) struct Resource {
    pub(super) document: Json,
    pub(super) writes: Vec<Write>,
    pub(super) actions: Vec<Action>,
    /// The privilege that a change needs; empty where nothing can be changed.
    pub(super) privilege: &'static str,
    /// Members may be created in it.
    pub(super) creates: bool,
    /// It may be deleted.
    pub(super) deletes: bool,
}

impl Resource {
    /// A resource that can only be read.
    pub(super) fn fixed(document: Json) -> Self {
        Self {
            document,
            privilege: "ConfigureComponents",
            ..Self::default()
        }
    }

    /// With a property that may be written.
    pub(super) fn write<F>(mut self, path: &'static str, how: F) -> Self
    where
        F: Fn(&Json) -> Result<Step, Wrong> + Send + Sync + 'static,
    {
        let how = Box::new(how);
        self.writes.push(Write { path, how });
        self
    }

    /// With an action.
    pub(super) fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Where a client must be to change it.
    pub(super) fn needs(mut self, privilege: &'static str) -> Self {
        self.privilege = privilege;
        self
    }

    /// The document with its actions and its tag.
    pub(super) fn shown(&self) -> Json {
        let mut document = self.document.clone();
        if !self.actions.is_empty() {
            let uri = document["@odata.id"].as_str().unwrap_or_default();
            let actions: Json = self.actions.iter().map(|a| a.entry(uri)).collect();
            document["Actions"] = actions;
        }
        let tag = etag(&document);
        if let Some(object) = document.as_object_mut()
            && object.contains_key("@odata.id")
        {
            object.insert("@odata.etag".into(), tag.into());
        }
        document
    }

    /// The methods for the `Allow` header.
    pub(super) fn allow(&self) -> String {
        let mut allow = String::from("GET, HEAD");
        for (there, method) in [
            (self.creates, "POST"),
            (!self.writes.is_empty(), "PATCH"),
            (self.deletes, "DELETE"),
        ] {
            if there {
                allow.push_str(", ");
                allow.push_str(method);
            }
        }
        allow
    }
}

impl Action {
    /// An action of one parameter.
    pub(super) fn of(name: &'static str, parameter: &'static str, values: Values) -> Self {
        Self {
            name,
            parameter: Some((parameter, values)),
            steps: Vec::new(),
        }
    }

    /// An action without parameters.
    pub(super) fn plain(name: &'static str, steps: Vec<Step>) -> Self {
        Self {
            name,
            parameter: None,
            steps,
        }
    }

    /// On, off, and off and on again after the pause.
    pub(super) fn switch(name: &'static str, order: impl Fn(bool) -> DeviceCommand) -> Self {
        let values = vec![
            ("On", vec![Step::Order(order(true))]),
            ("Off", vec![Step::Order(order(false))]),
            (
                "PowerCycle",
                vec![
                    Step::Order(order(false)),
                    Step::Pause,
                    Step::Order(order(true)),
                ],
            ),
        ];
        Self::of(name, "PowerState", values)
    }

    fn entry(&self, uri: &str) -> (String, Json) {
        let mut entry = json!({"target": format!("{uri}/Actions/{}", self.name)});
        if let Some((parameter, values)) = &self.parameter {
            let values: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
            if !values.is_empty() {
                entry[format!("{parameter}@Redfish.AllowableValues")] = values.into();
            }
        }
        (format!("#{}", self.name), entry)
    }
}

/// A boolean.
pub(super) fn flag(value: &Json) -> Result<bool, Wrong> {
    value.as_bool().ok_or(Wrong::Type)
}

/// A text.
pub(super) fn text(value: &Json) -> Result<&str, Wrong> {
    value.as_str().ok_or(Wrong::Type)
}
