//! From the body of an action's POST to the steps that it asks for.

use hyper::StatusCode;
use serde_json::{Map, Value as Json};

use super::body::shown;
use super::error::Refusal;
use super::messages::Message;
use super::resource::{Action, Step};

/// The steps of an action with these parameters.
pub(super) fn read(action: &Action, body: &Map<String, Json>) -> Result<Vec<Step>, Refusal> {
    let name = action.name;
    let expected = action.parameter.as_ref().map(|(parameter, _)| *parameter);
    let unknown = body
        .keys()
        .filter(|key| !key.contains('@') && Some(key.as_str()) != expected);
    let unknown: Vec<Message> = unknown
        .map(|key| Message::new("Base", "ActionParameterUnknown", &[name, key]).about(key))
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::all(StatusCode::BAD_REQUEST, unknown));
    }
    let Some((parameter, values)) = &action.parameter else {
        return Ok(action.steps.clone());
    };
    let Some(value) = body.get(*parameter) else {
        return Err(Refusal::bad("ActionParameterMissing", &[name, parameter]));
    };
    let refuse = |key| {
        let message = Message::new("Base", key, &[&shown(value), parameter, name]);
        Refusal::all(StatusCode::BAD_REQUEST, vec![message.about(parameter)])
    };
    let text = value
        .as_str()
        .ok_or_else(|| refuse("ActionParameterValueTypeError"))?;
    let found = values.iter().find(|(value, _)| *value == text);
    let (_, steps) = found.ok_or_else(|| refuse("ActionParameterValueNotInList"))?;
    Ok(steps.clone())
}
