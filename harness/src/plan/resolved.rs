//! A playbook as one YAML text: every file included, every default written.

use serde_json::Value as Json;

use crate::playbook::Loaded;

/// The playbook in full; reading it gives the same playbook. What was written
/// stays as it was written, to the last digit.
pub(crate) fn resolved_yaml(loaded: &Loaded) -> String {
    let Ok(mut json) = serde_json::to_value(&loaded.playbook) else {
        return String::new();
    };
    overlay(&mut json, &loaded.tree.to_json());
    if let Some(services) = json
        .pointer_mut("/stack/services")
        .and_then(Json::as_object_mut)
    {
        for service in services.values_mut() {
            let gateway = service.get_mut("gateway").and_then(Json::as_object_mut);
            // Filled in by the plan, and not a key that a playbook may set.
            gateway.and_then(|gateway| gateway.shift_remove("replicas"));
        }
    }
    drop_nulls(&mut json);
    serde_yaml::to_string(&json).unwrap_or_default()
}

/// Puts what was written over what was understood, which has every default.
fn overlay(understood: &mut Json, written: &Json) {
    match (understood, written) {
        (Json::Object(understood), Json::Object(written)) => {
            for (key, value) in written {
                if let Some(understood) = understood.get_mut(key) {
                    overlay(understood, value);
                }
            }
        }
        (Json::Array(understood), Json::Array(written)) => {
            for (understood, written) in understood.iter_mut().zip(written) {
                overlay(understood, written);
            }
        }
        (understood, written) => *understood = written.clone(),
    }
}

/// Nothing and null mean the same in a playbook.
fn drop_nulls(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
