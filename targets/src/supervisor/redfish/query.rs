//! Query parameters: `only`, `$select`, `$expand`.

use hyper::StatusCode;
use serde_json::{Map, Value as Json};

use super::error::Refusal;

/// Deepest level of an expansion.
const MAX_LEVELS: u8 = 2;
/// Resources that one answer may bring in.
const MAX_EXPANDED: usize = 2_000;

/// What a request's query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    only: bool,
    select: Vec<String>,
    expand: Option<Expand>,
    /// The filter of an event stream, as written.
    pub(super) filter: Option<String>,
}

/// Which references are expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expand {
    links: bool,
    others: bool,
    levels: u8,
}

impl Query {
    /// Reads a query; `stream` says that it is an event stream's, which alone
    /// has a `$filter`.
    pub(super) fn read(query: &str, stream: bool) -> Result<Self, Refusal> {
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = value.replace('+', " ");
            let format = || Refusal::bad("QueryParameterValueFormatError", &[value, name]);
            let value = super::doc::decode(&plain).ok_or_else(format)?;
            match super::doc::decode(name).ok_or_else(format)?.as_str() {
                "only" if value.is_empty() => read.only = true,
                "only" => return Err(format()),
                "$select" => {
                    read.select = value.split(',').map(|p| p.trim().to_string()).collect();
                    if read.select.iter().any(String::is_empty) {
                        return Err(format());
                    }
                }
                "$expand" => read.expand = Some(Expand::read(&value).ok_or_else(format)?),
                "$filter" if stream => read.filter = Some(value),
                name if name.starts_with('$') => {
                    let status = StatusCode::NOT_IMPLEMENTED;
                    return Err(Refusal::new(status, "QueryNotSupported", &[]));
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// Whether it asks for anything of a document.
    pub(super) fn is_plain(&self) -> bool {
        !self.only && self.select.is_empty() && self.expand.is_none()
    }

    /// The document as the query wants it; `find` gives other resources.
    pub(super) fn apply(
        &self,
        mut document: Json,
        find: &dyn Fn(&str) -> Option<Json>,
    ) -> Result<Json, Refusal> {
        if self.only {
            let members = document.get("Members").and_then(Json::as_array);
            let Some(members) = members else {
                return Err(Refusal::bad("QueryNotSupportedOnResource", &[]));
            };
            if let [member] = &members[..]
                && let Some(found) = reference(member).and_then(find)
            {
                document = found;
            }
        }
        if let Some(expand) = self.expand {
            let mut left = MAX_EXPANDED;
            expand.apply(&mut document, expand.levels, false, &mut left, find);
        }
        if !self.select.is_empty() {
            document = select(&document, &self.select);
        }
        Ok(document)
    }
}

impl Expand {
    fn read(value: &str) -> Option<Self> {
        let (which, options) = match value.split_once('(') {
            Some((which, options)) => (which, Some(options.strip_suffix(')')?)),
            None => (value, None),
        };
        let levels: u8 = match options {
            Some(options) => options.strip_prefix("$levels=")?.parse().ok()?,
            None => 1,
        };
        let (links, others) = match which {
            "*" => (true, true),
            "." => (false, true),
            "~" => (true, false),
            _ => return None,
        };
        (1..=MAX_LEVELS).contains(&levels).then_some(Self {
            links,
            others,
            levels,
        })
    }

    fn apply(
        self,
        value: &mut Json,
        levels: u8,
        in_links: bool,
        left: &mut usize,
        find: &dyn Fn(&str) -> Option<Json>,
    ) {
        if levels == 0 {
            return;
        }
        let wanted = if in_links { self.links } else { self.others };
        if wanted
            && *left > 0
            && let Some(mut found) = reference(value).and_then(find)
        {
            *left -= 1;
            self.apply(&mut found, levels - 1, false, left, find);
            *value = found;
            return;
        }
        match value {
            Json::Object(map) => {
                for (name, inner) in map.iter_mut() {
                    self.apply(inner, levels, in_links || name == "Links", left, find);
                }
            }
            Json::Array(list) => {
                for inner in list {
                    self.apply(inner, levels, in_links, left, find);
                }
            }
            _ => {}
        }
    }
}

/// The URI of an object that is nothing but a reference.
fn reference(value: &Json) -> Option<&str> {
    let map = value.as_object()?;
    match map.len() {
        1 => map.get("@odata.id")?.as_str(),
        _ => None,
    }
}

/// The selected properties, and what every resource must keep.
fn select(document: &Json, paths: &[String]) -> Json {
    let mut selected = Map::new();
    let Json::Object(map) = document else {
        return document.clone();
    };
    for (name, value) in map {
        let stays = name.starts_with("@odata") || name.starts_with("Members@odata");
        let whole = paths.iter().any(|p| p == name);
        let below: Vec<String> = paths
            .iter()
            .filter_map(|p| p.strip_prefix(name.as_str())?.strip_prefix('/'))
            .map(str::to_string)
            .collect();
        if stays || whole {
            selected.insert(name.clone(), value.clone());
        } else if !below.is_empty() {
            let inner = match value {
                Json::Array(list) => list.iter().map(|v| select(v, &below)).collect(),
                value => select(value, &below),
            };
            selected.insert(name.clone(), inner);
        }
    }
    Json::Object(selected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_supported_is_said() {
        let status = |query| Query::read(query, false).map_err(|r| r.status.as_u16());
        assert_eq!(status("$filter=a").unwrap_err(), 501);
        assert_eq!(status("$expand=x").unwrap_err(), 400);
        assert_eq!(status("$expand=.($levels=9)").unwrap_err(), 400);
        assert_eq!(status("only=1").unwrap_err(), 400);
        assert!(status("anything=else").unwrap().is_plain());
    }

    #[test]
    fn selects_and_expands() {
        let document = json!({"@odata.id": "/a", "A": 1, "B": {"C": 2, "D": 3},
            "E": {"@odata.id": "/e"}, "Links": {"F": [{"@odata.id": "/e"}]}});
        let find = |uri: &str| Some(json!({"@odata.id": uri, "X": {"@odata.id": "/x"}}));
        let apply = |query| {
            let query = Query::read(query, false).unwrap();
            query.apply(document.clone(), &find).unwrap()
        };
        let selected = apply("$select=B/C");
        assert_eq!(selected, json!({"@odata.id": "/a", "B": {"C": 2}}));
        let expanded = apply("$expand=.");
        assert_eq!(expanded["E"]["X"], json!({"@odata.id": "/x"}));
        assert_eq!(expanded["Links"]["F"][0], json!({"@odata.id": "/e"}));
        let links = apply("$expand=~($levels=1)");
        assert_eq!(links["E"], json!({"@odata.id": "/e"}));
        assert_eq!(links["Links"]["F"][0]["X"], json!({"@odata.id": "/x"}));
    }
}
