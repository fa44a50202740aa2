//! Reading the JSON object of a request.

use serde_json::{Map, Value as Json};

use super::error::Refusal;
use super::messages::Message;
use super::resource::Wrong;

/// Deepest nesting of a body that is looked at.
const MAX_DEPTH: usize = 8;

/// The object of a body.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Json>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err(Refusal::bad("UnrecognizedRequestBody", &[])),
        Err(_) => Err(Refusal::bad("MalformedJSON", &[])),
    }
}

/// A text that a request must have.
pub(super) fn required<'a>(
    body: &'a Map<String, Json>,
    property: &str,
) -> Result<&'a str, Refusal> {
    match body.get(property) {
        None => {
            let message = Message::new("Base", "PropertyMissing", &[property]).about(property);
            Err(Refusal::all(hyper::StatusCode::BAD_REQUEST, vec![message]))
        }
        Some(value) => text(value, property),
    }
}

/// A text.
pub(super) fn text<'a>(value: &'a Json, property: &str) -> Result<&'a str, Refusal> {
    value.as_str().ok_or_else(|| {
        let message = wrong(Wrong::Type, value, property);
        Refusal::all(hyper::StatusCode::BAD_REQUEST, vec![message])
    })
}

/// A list of texts.
pub(super) fn texts(value: &Json, property: &str) -> Result<Vec<String>, Refusal> {
    let list = value.as_array().map(|list| {
        let texts = list.iter().map(|v| v.as_str().map(str::to_string));
        texts.collect::<Option<Vec<_>>>()
    });
    list.flatten().ok_or_else(|| {
        let message = wrong(Wrong::Type, value, property);
        Refusal::all(hyper::StatusCode::BAD_REQUEST, vec![message])
    })
}

/// A refusal of one property's value.
pub(super) fn refuse(how: Wrong, value: &Json, property: &str) -> Refusal {
    let message = wrong(how, value, property);
    Refusal::all(hyper::StatusCode::BAD_REQUEST, vec![message])
}

/// What is wrong with a value.
pub(super) fn wrong(how: Wrong, value: &Json, property: &str) -> Message {
    let shown = shown(value);
    let key = match how {
        Wrong::Type => "PropertyValueTypeError",
        Wrong::List => "PropertyValueNotInList",
        Wrong::Range => "PropertyValueOutOfRange",
    };
    Message::new("Base", key, &[&shown, property]).about(property)
}

/// A value as a message quotes it: no longer than a line.
pub(super) fn shown(value: &Json) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_string);
    text.chars().take(120).collect()
}

/// The leaves of an object with their paths, as `A/B`. Arrays are leaves, and
/// so is what `stop` says is one.
pub(super) fn leaves<'a>(
    map: &'a Map<String, Json>,
    stop: &dyn Fn(&str) -> bool,
) -> Vec<(String, &'a Json)> {
    let mut found = Vec::new();
    walk(map, "", 0, stop, &mut found);
    found
}

fn walk<'a>(
    map: &'a Map<String, Json>,
    before: &str,
    depth: usize,
    stop: &dyn Fn(&str) -> bool,
    found: &mut Vec<(String, &'a Json)>,
) {
    for (name, value) in map {
        let path = match before {
            "" => name.clone(),
            before => format!("{before}/{name}"),
        };
        match value {
            Json::Object(inner) if depth < MAX_DEPTH && !inner.is_empty() && !stop(&path) => {
                walk(inner, &path, depth + 1, stop, found);
            }
            value => found.push((path, value)),
        }
    }
}
