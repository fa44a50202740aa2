//! What the Redfish service is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::supervisor::web::WebLimits;
use crate::units::Span;

/// The Redfish service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedfishConfig {
    /// The port it listens on.
    pub port: u16,
    /// Who may log in.
    pub users: Vec<RedfishUser>,
    /// Serve TLS, with a certificate made at start.
    pub tls: bool,
    /// The date at which the run's clock starts, in seconds since 1970.
    pub epoch_s: i64,
    /// What session tokens and the service's UUID are made of.
    pub seed: u64,
    /// A session that is not used for this long ends.
    pub session_timeout_s: u32,
    /// How long a power cycle leaves its outlet or machine off.
    pub cycle: Span,
    /// How often a quiet event stream shows that it lives.
    pub heartbeat: Span,
    /// How often an event is sent again to a receiver that does not take it.
    pub retries: u32,
    /// How long it waits before each.
    pub retry_after: Span,
    /// What it bears.
    pub limits: RedfishLimits,
    /// What its HTTP server bears.
    pub web: WebLimits,
}

/// What the service bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedfishLimits {
    /// Sessions at one time; a further one ends the one that was idle longest.
    pub sessions: usize,
    /// Accounts.
    pub accounts: usize,
    /// Subscriptions, streams included.
    pub subscriptions: usize,
    /// Events that are kept for those who have not taken them yet.
    pub events: usize,
    /// Orders of power cycles under way at one time.
    pub cycles: usize,
    /// How long a receiver of events may take to answer.
    pub delivery: Span,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedfishUser {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// What it may do.
    pub role: RedfishRole,
}

/// The standard roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RedfishRole {
    /// Everything.
    Administrator,
    /// Reads, and operates devices.
    Operator,
    /// Reads.
    ReadOnly,
}

impl RedfishRole {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Administrator, Self::Operator, Self::ReadOnly];

    /// Its name, as `RoleId` has it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
            Self::ReadOnly => "ReadOnly",
        }
    }

    /// The role of this name.
    pub(super) fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// What it may do, in DSP0266's words.
    pub(super) fn privileges(self) -> &'static [&'static str] {
        match self {
            Self::Administrator => &[
                "Login",
                "ConfigureManager",
                "ConfigureUsers",
                "ConfigureComponents",
                "ConfigureSelf",
            ],
            Self::Operator => &["Login", "ConfigureComponents", "ConfigureSelf"],
            Self::ReadOnly => &["Login", "ConfigureSelf"],
        }
    }
}

impl Default for RedfishLimits {
    fn default() -> Self {
        Self {
            sessions: 64,
            accounts: 32,
            subscriptions: 64,
            events: 1024,
            cycles: 64,
            delivery: Span::from_secs(5),
        }
    }
}

impl Default for RedfishConfig {
    fn default() -> Self {
        let user = |name: &str, role| RedfishUser {
            name: name.into(),
            password: name.into(),
            role,
        };
        Self {
            port: 8000,
            users: vec![
                user("supervisor", RedfishRole::Administrator),
                user("operator", RedfishRole::Operator),
                user("reader", RedfishRole::ReadOnly),
            ],
            tls: false,
            // 2026-01-01T00:00:00Z
            epoch_s: 1_767_225_600,
            seed: 0,
            session_timeout_s: 1_800,
            cycle: Span::from_secs(5),
            heartbeat: Span::from_secs(15),
            retries: 3,
            retry_after: Span::from_secs(5),
            limits: RedfishLimits::default(),
            web: WebLimits::default(),
        }
    }
}
