//! Building blocks of resources.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::kinds::typed;

/// The service root's URI, without the last slash.
pub(super) const ROOT: &str = "/redfish/v1";

/// A URI below the root; each part is encoded.
pub(super) fn uri(parts: &[&str]) -> String {
    let mut uri = String::from(ROOT);
    for part in parts {
        uri.push('/');
        uri.push_str(&encode(part));
    }
    uri
}

/// A segment of a path, with what is not plain as `%XX`.
pub(super) fn encode(part: &str) -> String {
    let mut text = String::new();
    for byte in part.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~$".contains(&b) => text.push(b as char),
            b => {
                let _ = write!(text, "%{b:02X}");
            }
        }
    }
    text
}

/// The opposite of [`encode`]; nothing where it is not UTF-8.
pub(super) fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

/// A reference to a resource.
pub(super) fn link(uri: impl Into<String>) -> Json {
    json!({"@odata.id": uri.into()})
}

/// References to resources.
pub(super) fn links(uris: impl IntoIterator<Item = String>) -> Json {
    uris.into_iter().map(link).collect()
}

/// A resource's common properties.
pub(super) fn resource(kind: &str, uri: &str, id: &str, name: &str) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("@odata.type".into(), typed(kind).into());
    map.insert("@odata.id".into(), uri.into());
    map.insert("Id".into(), id.into());
    map.insert("Name".into(), name.into());
    map
}

/// A collection.
pub(super) fn collection(kind: &str, uri: &str, name: &str, members: Vec<String>) -> Json {
    let kind = format!("{kind}Collection");
    json!({
        "@odata.type": typed(&kind),
        "@odata.id": uri,
        "Name": name,
        "Members@odata.count": members.len(),
        "Members": links(members),
    })
}

/// Adds the properties of an object to a map.
pub(super) fn with(mut map: Map<String, Json>, more: Json) -> Json {
    if let Json::Object(more) = more {
        map.extend(more);
    }
    Json::Object(map)
}

/// Thirty-two hexadecimal digits that follow from the parts.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let bytes = hash.finalize();
    bytes.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// The tag of a document's state.
pub(super) fn etag(document: &Json) -> String {
    format!("\"{}\"", &digest(&[&document.to_string()])[..16])
}
