//! A request and its answer, without their transport.

use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode};
use serde_json::Value as Json;

use crate::supervisor::web::BodyFault;

/// A request.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Result<Bytes, BodyFault>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content: Content,
}

/// What an answer carries.
#[derive(Debug)]
pub(super) enum Content {
    Nothing,
    Json(Json),
    Xml(String),
    /// The events of a subscription, by its id.
    Stream(String),
}

impl Reply {
    pub(super) fn new(status: StatusCode, content: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
        }
    }

    pub(super) fn json(document: Json) -> Self {
        Self::new(StatusCode::OK, Content::Json(document))
    }

    pub(super) fn nothing() -> Self {
        Self::new(StatusCode::NO_CONTENT, Content::Nothing)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
