//! Built-in services by name.

use futures_util::future::BoxFuture;

use super::{Env, ServiceError};

/// A built-in service that runs.
pub type BuiltinFuture = BoxFuture<'static, Result<(), ServiceError>>;

/// Finds a built-in service by its name and starts it with its configuration;
/// `None` when there is none of that name.
pub type Registry = dyn Fn(&str, serde_json::Value, Env) -> Option<BuiltinFuture> + Send + Sync;
