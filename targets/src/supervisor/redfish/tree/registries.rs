//! Message registries and the list of schemas.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, resource, uri, with};
use super::super::kinds::{KINDS, typed};
use super::super::messages::{REGISTRIES, Registry};
use super::super::resource::Resource;

pub(super) fn find(path: &[&str]) -> Option<Resource> {
    let document = match path {
        [] => {
            let members = REGISTRIES.iter().map(|r| uri(&["Registries", r.prefix]));
            let here = uri(&["Registries"]);
            collection(
                "MessageRegistryFile",
                &here,
                "Message Registries",
                members.collect(),
            )
        }
        [prefix] => file(named(prefix)?),
        [prefix, "Registry.json"] => named(prefix)?.document(),
        _ => return None,
    };
    Some(Resource::fixed(document))
}

fn named(prefix: &str) -> Option<&'static Registry> {
    REGISTRIES.iter().find(|r| r.prefix == prefix)
}

fn file(registry: &Registry) -> Json {
    let here = uri(&["Registries", registry.prefix]);
    let name = format!("{} Message Registry", registry.prefix);
    let map = resource("MessageRegistryFile", &here, registry.prefix, &name);
    let document = json!({
        "Registry": registry.stem(),
        "Languages": ["en"],
        "Location": [{"Language": "en", "Uri": format!("{here}/Registry.json")}],
    });
    with(map, document)
}

pub(super) fn schemas(path: &[&str]) -> Option<Resource> {
    let document = match path {
        [] => {
            let members = KINDS.iter().map(|(kind, _)| uri(&["JsonSchemas", kind]));
            let here = uri(&["JsonSchemas"]);
            collection("JsonSchemaFile", &here, "JSON Schemas", members.collect())
        }
        [kind] => {
            let (kind, version) = KINDS.iter().find(|(name, _)| name == kind)?;
            let map = resource("JsonSchemaFile", &uri(&["JsonSchemas", kind]), kind, kind);
            let file = match version.is_empty() {
                true => format!("{kind}.json"),
                false => format!("{kind}.{version}.json"),
            };
            let published = format!("http://redfish.dmtf.org/schemas/v1/{file}");
            let document = json!({
                "Schema": typed(kind),
                "Languages": ["en"],
                "Location": [{"Language": "en", "PublicationUri": published}],
            });
            with(map, document)
        }
        _ => return None,
    };
    Some(Resource::fixed(document))
}
