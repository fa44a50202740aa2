//! By Redfish.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::AUTHORIZATION;
use hyper::{Request, StatusCode};
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::client::{Question, failed};
use super::point::{Wire, points};
use crate::net::Net;
use crate::supervisor::redfish::basic;
use crate::supervisor::web::fetch;
use crate::telemetry::{Protocol, Seen};

pub(super) async fn ask(net: &dyn Net, question: &Question) -> Seen {
    let mut values = IndexMap::new();
    for point in points(Protocol::Redfish, &question.kind) {
        let (path, pointer, factor) = match point.wire {
            Wire::Redfish {
                path,
                pointer,
                factor,
            } => (path, pointer, factor),
            Wire::RedfishOn => ("Systems/{}", "/PowerState", 1.0),
            _ => continue,
        };
        let document = match get(net, question, path).await {
            Ok(document) => document,
            Err(seen) => return seen,
        };
        let state = document.pointer("/Status/State").and_then(Json::as_str);
        if state == Some("UnavailableOffline") {
            return Seen::Stale;
        }
        let value = match document.pointer(pointer) {
            Some(Json::Number(number)) => number.as_f64().map(|n| (n * factor).into()),
            Some(Json::String(word)) => Some((word == "On").into()),
            _ => None,
        };
        values.extend(value.map(|value| (point.field.to_string(), value)));
    }
    Seen::Values(values)
}

async fn get(net: &dyn Net, question: &Question, path: &str) -> Result<Json, Seen> {
    let path = format!("/redfish/v1/{}", path.replace("{}", &question.device));
    let request = Request::get(path)
        .header(AUTHORIZATION, basic("supervisor", "supervisor"))
        .body(Full::new(Bytes::new()))
        .map_err(|error| Seen::Refused(error.to_string()))?;
    let at = (question.host.as_str(), question.port);
    let (status, body) = fetch(net, at, false, request)
        .await
        .map_err(|error| failed(&error))?;
    // A device that was never read has no sensors yet.
    match status {
        StatusCode::OK => serde_json::from_slice(&body).map_err(|e| Seen::Refused(e.to_string())),
        StatusCode::NOT_FOUND => Err(Seen::Stale),
        status => Err(Seen::Refused(format!("answered {status}"))),
    }
}
