//! What went wrong with a request, as Redfish says it.

use hyper::StatusCode;
use serde_json::{Value as Json, json};

use super::messages::Message;
use crate::telemetry::CommandError;

/// An answer that is a refusal.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) messages: Vec<Message>,
    /// Headers that the status asks for.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// One message of the Base registry.
    pub(super) fn new(status: StatusCode, key: &str, arguments: &[&str]) -> Self {
        Self::all(status, vec![Message::new("Base", key, arguments)])
    }

    /// These messages.
    pub(super) fn all(status: StatusCode, messages: Vec<Message>) -> Self {
        Self {
            status,
            messages,
            headers: Vec::new(),
        }
    }

    /// With a header.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn bad(key: &str, arguments: &[&str]) -> Self {
        Self::new(StatusCode::BAD_REQUEST, key, arguments)
    }

    pub(super) fn not_found(kind: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", &[kind, name])
    }

    pub(super) fn method(allow: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "OperationNotAllowed", &[]).header("allow", allow)
    }

    pub(super) fn unauthorized(key: &str) -> Self {
        let arguments: &[&str] = match key {
            "AccessDenied" => &["/redfish/v1/"],
            _ => &[],
        };
        Self::new(StatusCode::UNAUTHORIZED, key, arguments)
            .header("www-authenticate", "Basic realm=\"ridethrough\"")
    }

    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "InsufficientPrivilege", &[])
    }

    pub(super) fn unavailable() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "ServiceTemporarilyUnavailable", &["5"]).header("retry-after", "5")
    }

    /// What a device answered to an order about `property` with `value`.
    pub(super) fn of_order(error: &CommandError, property: &str, value: &str) -> Self {
        match error {
            CommandError::Unknown(name) => Self::not_found("device", name),
            CommandError::Unsupported(_) => Self::bad("ActionNotSupported", &[property]),
            CommandError::OutOfRange(_) => {
                let message = Message::new("Base", "PropertyValueOutOfRange", &[value, property]);
                Self::all(StatusCode::BAD_REQUEST, vec![message.about(property)])
            }
            CommandError::Refused(_) => Self::new(StatusCode::CONFLICT, "ResourceInUse", &[]),
            CommandError::Gone => Self::unavailable(),
        }
    }

    /// The error's document.
    pub(super) fn document(&self) -> Json {
        let general = Message::new("Base", "GeneralError", &[]);
        let head = match &self.messages[..] {
            [only] => only,
            _ => &general,
        };
        let info: Vec<Json> = self.messages.iter().map(Message::document).collect();
        json!({"error": {
            "code": head.id,
            "message": head.text,
            "@Message.ExtendedInfo": info,
        }})
    }
}
