//! Promises about the power of a site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// See [`Assertion::NoCommonMode`](super::Assertion::NoCommonMode).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoCommonModeAssert {
    /// Only these racks (default: every rack with two cords or more).
    pub racks: Vec<String>,
    /// Components that may be one all the same.
    pub except: Vec<String>,
}
