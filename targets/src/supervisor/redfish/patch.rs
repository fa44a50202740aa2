//! From the body of a PATCH to what it asks for: all of it or nothing.

use hyper::StatusCode;
use serde_json::{Map, Value as Json};

use super::body::{leaves, wrong};
use super::error::Refusal;
use super::messages::Message;
use super::resource::{Resource, Step};

/// A step, and the property and value that asked for it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) step: Step,
    pub(super) property: String,
    pub(super) value: Json,
}

/// What a body asks of a resource. One property that cannot be written refuses
/// the whole: a half-done change is worse than none.
pub(super) fn read(resource: &Resource, body: &Map<String, Json>) -> Result<Vec<Asked>, Refusal> {
    if body.is_empty() {
        return Err(Refusal::bad("EmptyJSON", &[]));
    }
    let writable = |path: &str| resource.writes.iter().find(|w| w.path == path);
    let mut asked = Vec::new();
    let mut messages = Vec::new();
    for (property, value) in leaves(body, &|path| writable(path).is_some()) {
        let last = property.rsplit('/').next().unwrap_or_default();
        if last.contains('@') {
            continue;
        }
        let Some(write) = writable(&property) else {
            let key = match exists(&resource.document, &property) {
                true => "PropertyNotWritable",
                false => "PropertyUnknown",
            };
            messages.push(Message::new("Base", key, &[&property]).about(&property));
            continue;
        };
        match (write.how)(value) {
            Ok(step) => asked.push(Asked {
                step,
                property,
                value: value.clone(),
            }),
            Err(how) => messages.push(wrong(how, value, &property)),
        }
    }
    match (messages.is_empty(), asked.is_empty()) {
        (false, _) => Err(Refusal::all(StatusCode::BAD_REQUEST, messages)),
        (true, true) => Err(Refusal::bad("NoOperation", &[])),
        (true, false) => Ok(asked),
    }
}

/// Whether a document has the property of this path.
fn exists(document: &Json, path: &str) -> bool {
    let mut at = document;
    for part in path.split('/') {
        match at.get(part) {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}
