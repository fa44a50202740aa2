//! Who may do what, as `upsd.users` says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user of a NUT server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NutUser {
    /// The name that `USERNAME` gives.
    pub name: String,
    /// The word that `PASSWORD` gives.
    pub password: String,
    /// What this user's `upsmon` is: a primary may order a shutdown.
    pub upsmon: Option<NutRole>,
    /// Further actions: `SET`, `FSD`.
    pub actions: Vec<String>,
    /// Commands it may run; `ALL` means all.
    pub instcmds: Vec<String>,
}

/// The two kinds of `upsmon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NutRole {
    /// It may log in, take the primary's part and set FSD.
    Primary,
    /// It may log in.
    Secondary,
}

impl NutUser {
    /// A user that may do everything.
    pub fn all(name: &str, password: &str) -> Self {
        Self {
            name: name.into(),
            password: password.into(),
            upsmon: Some(NutRole::Primary),
            actions: vec!["SET".into(), "FSD".into()],
            instcmds: vec!["ALL".into()],
        }
    }

    /// Whether it may `LOGIN`, `PRIMARY`, `FSD` or `SET`.
    pub(super) fn may(&self, action: &str) -> bool {
        let by_role = match self.upsmon {
            Some(NutRole::Primary) => matches!(action, "LOGIN" | "PRIMARY" | "FSD"),
            Some(NutRole::Secondary) => action == "LOGIN",
            None => false,
        };
        by_role || self.actions.iter().any(|a| a.eq_ignore_ascii_case(action))
    }

    /// Whether it may run this command.
    pub(super) fn may_run(&self, command: &str) -> bool {
        self.instcmds
            .iter()
            .any(|c| c.eq_ignore_ascii_case("ALL") || c.eq_ignore_ascii_case(command))
    }
}
