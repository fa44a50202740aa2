//! From a request to its answer.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use super::access::{Caller, caller};
use super::ask::{Ask, Content, Reply};
use super::change;
use super::core::Core;
use super::doc::{ROOT, decode, etag};
use super::error::Refusal;
use super::events::{event_service, subscription_at};
use super::kinds::metadata;
use super::query::Query;
use super::resource::Resource;
use super::site::US;
use super::state::State;
use super::{accounts, network, sessions, tree};
use crate::telemetry::Answer;

/// The methods that the service knows.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
    Method::PUT,
];

/// Answers a request, as late as the telemetry's faults say, or never.
pub(super) async fn answer(core: &Arc<Core>, ask: Ask) -> Reply {
    let path = segments(&ask.path);
    let parts: Vec<&str> = path.iter().flatten().map(String::as_str).collect();
    let device = tree::device(&parts).unwrap_or_default();
    let silenced = core.board.peek(US, device) == Some(Answer::Silence);
    if core.board.silent(US) || silenced {
        std::future::pending::<()>().await;
    }
    let delay = core.board.delay(US, device);
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let answered = match &path {
        Some(_) => respond(core, &ask, &parts).await,
        None => outside(core, &ask),
    };
    answered.unwrap_or_else(|refusal| Reply {
        status: refusal.status,
        content: Content::Json(refusal.document()),
        headers: refusal.headers,
    })
}

/// The parts of a path below `/redfish/v1`; nothing where it is elsewhere.
fn segments(path: &str) -> Option<Vec<String>> {
    let below = path.strip_prefix(ROOT)?;
    let below = match below {
        "" => return Some(Vec::new()),
        below => below.strip_prefix('/')?,
    };
    let below = below.strip_suffix('/').unwrap_or(below);
    if below.is_empty() {
        return Some(Vec::new());
    }
    below.split('/').map(decode).collect()
}

/// Checks that come before it matters what is asked for.
fn check(ask: &Ask) -> Result<(), Refusal> {
    if !METHODS.contains(&ask.method) {
        let status = StatusCode::NOT_IMPLEMENTED;
        return Err(Refusal::new(status, "OperationNotAllowed", &[]));
    }
    let version = ask.headers.get("odata-version");
    if version.is_some_and(|version| version != "4.0") {
        let status = StatusCode::PRECONDITION_FAILED;
        return Err(Refusal::new(status, "HeaderInvalid", &["OData-Version"]));
    }
    Ok(())
}

/// Whether the client takes this media type.
fn accepts(ask: &Ask, media: &str) -> Result<(), Refusal> {
    let Some(accept) = ask.headers.get("accept") else {
        return Ok(());
    };
    let group = media.split('/').next().unwrap_or_default();
    let wanted = |range: &str| {
        let range = range.split(';').next().unwrap_or_default().trim();
        range == "*/*" || range.eq_ignore_ascii_case(media) || range == format!("{group}/*")
    };
    match accept.to_str() {
        Ok(ranges) if ranges.split(',').any(wanted) => Ok(()),
        _ => {
            let status = StatusCode::NOT_ACCEPTABLE;
            Err(Refusal::new(status, "HeaderInvalid", &["Accept"]))
        }
    }
}

fn is_read(ask: &Ask) -> bool {
    matches!(ask.method, Method::GET | Method::HEAD)
}

/// Whatever is not below `/redfish/v1`.
fn outside(core: &Core, ask: &Ask) -> Result<Reply, Refusal> {
    check(ask)?;
    match ask.path.as_str() {
        "/redfish" | "/redfish/" if is_read(ask) => {
            accepts(ask, "application/json")?;
            Ok(Reply::json(json!({"v1": format!("{ROOT}/")})))
        }
        "/redfish" | "/redfish/" => Err(Refusal::method("GET, HEAD")),
        path => {
            let now_us = core.board.clock().now_us();
            caller(&mut core.lock(), &ask.headers, now_us)?;
            Err(Refusal::not_found("resource", path))
        }
    }
}

async fn respond(core: &Arc<Core>, ask: &Ask, path: &[&str]) -> Result<Reply, Refusal> {
    check(ask)?;
    match path {
        ["$metadata" | "odata"] if !is_read(ask) => return Err(Refusal::method("GET, HEAD")),
        ["$metadata"] => {
            accepts(ask, "application/xml")?;
            return Ok(Reply::new(StatusCode::OK, Content::Xml(metadata())));
        }
        ["odata"] => {
            accepts(ask, "application/json")?;
            return Ok(Reply::json(odata(core)));
        }
        _ => {}
    }
    let now_us = core.board.clock().now_us();
    let logs_in = ask.method == Method::POST
        && matches!(
            path,
            ["SessionService", "Sessions"] | ["SessionService", "Sessions", "Members"]
        );
    if logs_in {
        return change::log_in(core, ask, now_us);
    }
    let open = path.is_empty() && is_read(ask);
    let caller = match open {
        true => None,
        false => Some(caller(&mut core.lock(), &ask.headers, now_us)?),
    };
    match (&ask.method, caller) {
        (&Method::GET | &Method::HEAD, caller) => read(core, ask, path, caller.as_ref()),
        (&Method::POST, Some(caller)) => change::post(core, ask, path, &caller).await,
        (&Method::PATCH, Some(caller)) => change::patch(core, ask, path, &caller).await,
        (&Method::DELETE, Some(caller)) => change::delete(core, path, &caller),
        _ => {
            let resource = resource(core, path)?;
            Err(Refusal::method(&resource.allow()))
        }
    }
}

fn odata(core: &Core) -> Json {
    let root = find(core, &core.lock(), &[]).map(|root| root.document);
    let services = root
        .as_ref()
        .and_then(Json::as_object)
        .into_iter()
        .flatten();
    let services = services.filter_map(|(name, value)| {
        let url = value.get("@odata.id")?;
        Some(json!({"name": name, "kind": "Singleton", "url": url}))
    });
    let mut value =
        vec![json!({"name": "Service", "kind": "Singleton", "url": format!("{ROOT}/")})];
    value.extend(services);
    json!({"@odata.context": format!("{ROOT}/$metadata"), "value": value})
}

/// The resource at a path, whoever keeps it.
pub(super) fn find(core: &Core, state: &State, path: &[&str]) -> Option<Resource> {
    match path {
        ["SessionService", rest @ ..] => sessions::find(state, &core.config, rest),
        ["AccountService", rest @ ..] => accounts::find(state, rest),
        ["EventService"] => Some(event_service(&core.config)),
        ["EventService", "Subscriptions", rest @ ..] => subscription_at(state, rest),
        ["Managers", "supervisor", "NetworkProtocol"] => {
            Some(network::protocols(state, &core.config))
        }
        path => tree::find(&core.site(state), path),
    }
}

/// As [`find`]; a refusal where there is nothing.
pub(super) fn resource(core: &Core, path: &[&str]) -> Result<Resource, Refusal> {
    find(core, &core.lock(), path).ok_or_else(|| {
        let name = path.last().copied().unwrap_or_default();
        Refusal::not_found("resource", name)
    })
}

fn read(core: &Core, ask: &Ask, path: &[&str], caller: Option<&Caller>) -> Result<Reply, Refusal> {
    if let (["EventService", "SSE"], Some(_)) = (path, caller) {
        return change::open_stream(core, ask);
    }
    let resource = resource(core, path)?;
    accepts(ask, "application/json")?;
    let query = Query::read(&ask.query, false)?;
    let mut document = resource.shown();
    let tag = document["@odata.etag"].as_str().map(str::to_string);
    if !query.is_plain() {
        let fetch = |uri: &str| shown_at(core, uri);
        document = query.apply(document, &fetch)?;
    }
    let tag = tag.unwrap_or_else(|| etag(&document));
    let unchanged = ask.headers.get("if-none-match");
    if unchanged.is_some_and(|known| matches(known.as_bytes(), &tag)) {
        let reply = Reply::new(StatusCode::NOT_MODIFIED, Content::Nothing);
        return Ok(reply.header("etag", tag));
    }
    let mut reply = Reply::json(document)
        .header("etag", tag)
        .header("allow", resource.allow());
    let kind = resource.document["@odata.type"]
        .as_str()
        .unwrap_or_default();
    if let Some(name) = kind.trim_start_matches('#').split('.').next() {
        let schema = format!("<http://redfish.dmtf.org/schemas/v1/{name}.json>; rel=describedby");
        reply = reply.header("link", schema);
    }
    Ok(reply)
}

/// The document at a URI, for an expansion; nothing of a silent device.
fn shown_at(core: &Core, uri: &str) -> Option<Json> {
    let path = segments(uri)?;
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some(device) = tree::device(&parts)
        && core.board.peek(US, device) == Some(Answer::Silence)
    {
        return None;
    }
    find(core, &core.lock(), &parts).map(|resource| resource.shown())
}

/// Whether a header's list of tags has this one.
pub(super) fn matches(header: &[u8], tag: &str) -> bool {
    let header = String::from_utf8_lossy(header);
    let mut known = header.split(',').map(str::trim);
    known.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
