//! What can be asked and said over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::desk::Desk;
use super::form::fields;
use super::page::{page, plain};
use super::roles::Role;
use super::serve::Pulse;
use super::stream::events;
use crate::engine::{Refused, Who};
use crate::record::HumanAct;

/// Bytes of a form: a note of two thousand characters, each written as `%F0%9F…`.
const BODY: usize = 32 << 10;
/// Longest name.
const NAME: usize = 40;

type Fields = BTreeMap<String, String>;

/// Everything that a game day serves.
pub fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/events", get(follow))
        .route("/metrics", get(metrics))
        .route("/do/{act}", post(act))
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is nothing here\n") })
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(desk)
}

async fn show(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match looks(&desk, query.as_deref(), &headers) {
        Ok((role, token)) => {
            let nonce = uuid::Uuid::new_v4().simple().to_string();
            let html = page(&desk, role, token.as_deref(), &nonce);
            let policy = format!(
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; \
                 connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            );
            let mut response = Html(html).into_response();
            if let Ok(policy) = policy.parse() {
                let name = header::CONTENT_SECURITY_POLICY;
                response.headers_mut().insert(name, policy);
            }
            guarded(response)
        }
        Err(refusal) => guarded(refusal.into_response()),
    }
}

async fn follow(
    State(desk): State<Arc<Desk>>,
    Extension(pulse): Extension<Pulse>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (role, _) = match looks(&desk, query.as_deref(), &headers) {
        Ok(who) => who,
        Err(refusal) => return guarded(refusal.into_response()),
    };
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let last = last.and_then(|text| text.trim().parse().ok());
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    guarded((kind, events(desk, role, last, pulse)).into_response())
}

async fn metrics(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match looks(&desk, query.as_deref(), &headers) {
        Ok((role, _)) if desk.hub.is_blind() && role != Role::Conductor => {
            let said = "this game day is blind: the conductor alone sees its numbers\n";
            (StatusCode::FORBIDDEN, said).into_response()
        }
        Ok(_) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            guarded((kind, desk.hub.metrics()).into_response())
        }
        Err(refusal) => guarded(refusal.into_response()),
    }
}

/// Who looks, and the token that was shown.
fn looks(
    desk: &Desk,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(Role, Option<String>), Failure> {
    let refused = |code, why: &str| Err((code, format!("{why}\n")));
    let Some(mut fields) = fields(query.unwrap_or_default()) else {
        return refused(StatusCode::BAD_REQUEST, "this query cannot be read");
    };
    let token = bearer(headers).or_else(|| fields.remove("token"));
    // A page of somebody else's that has taken our name may not look either.
    if desk.tokens.of(Role::Watch).is_none() && !is_local(headers) {
        let said = "this page is asked for by the name of the machine it runs on";
        return refused(StatusCode::MISDIRECTED_REQUEST, said);
    }
    match desk.tokens.role(token.as_deref()) {
        Some(role) => Ok((role, token)),
        None => refused(StatusCode::UNAUTHORIZED, "a token is needed"),
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    shown.strip_prefix("Bearer ").map(str::to_string)
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(host) = host.and_then(|h| h.parse::<axum::http::uri::Authority>().ok()) else {
        return false;
    };
    let name = host.host().trim_matches(['[', ']']);
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// What every answer says to browsers.
fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let all = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in all {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// Somebody does something: a form with a token, from a page of ours.
async fn act(
    State(desk): State<Arc<Desk>>,
    axum::extract::Path(what): axum::extract::Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let wants_html = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let mut form = fields(&body).unwrap_or_default();
    let token = bearer(&headers).or_else(|| form.remove("token"));
    let done = match is_ours(&headers) {
        true => carry_out(&desk, &what, token.as_deref(), &form),
        false => Err((
            StatusCode::FORBIDDEN,
            "this was sent by a page that is not ours".into(),
        )),
    };
    let answer = match (done, wants_html) {
        (Ok(()), true) => {
            let back = token.map_or("/".into(), |token| format!("/?token={token}"));
            (StatusCode::SEE_OTHER, [(header::LOCATION, back)]).into_response()
        }
        (Ok(()), false) => axum::Json(serde_json::json!({"done": true})).into_response(),
        (Err((code, why)), true) => (code, Html(plain(&why))).into_response(),
        (Err((code, why)), false) => {
            let said = axum::Json(serde_json::json!({"error": why}));
            (code, said).into_response()
        }
    };
    guarded(answer)
}

/// Whether a request may come from a page of ours, as far as a browser tells. What
/// is not a browser tells nothing, and its token decides.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default();
    let origin = match headers.contains_key("origin") {
        true => text("origin") == Some(&format!("http://{host}")),
        false => true,
    };
    let site = match headers.contains_key("sec-fetch-site") {
        true => matches!(text("sec-fetch-site"), Some("same-origin" | "none")),
        false => true,
    };
    origin && site
}

type Failure = (StatusCode, String);

fn carry_out(desk: &Desk, what: &str, token: Option<&str>, form: &Fields) -> Result<(), Failure> {
    let needs = match what {
        "release" | "skip" | "arm" | "confirm" => Role::Conductor,
        "stop" | "note" | "noticed" | "decided" | "acted" => Role::Scribe,
        _ => return Err((StatusCode::NOT_FOUND, "nobody can do that here".into())),
    };
    // What changes anything takes a token, wherever this listens.
    let role = token.and_then(|token| desk.tokens.role(Some(token)));
    let Some(role) = role else {
        return Err((StatusCode::UNAUTHORIZED, "a token is needed".into()));
    };
    if role < needs {
        let why = format!("{} may not do that; a {} may", role.name(), needs.name());
        return Err((StatusCode::FORBIDDEN, why));
    }
    let name = form.get("name").map_or("", |name| name.trim());
    if name.chars().count() > NAME {
        let why = format!("a name has at most {NAME} characters");
        return Err((StatusCode::BAD_REQUEST, why));
    }
    let who = Who {
        role: role.name(),
        name: name.to_string(),
    };
    let conflict = |refused: Refused| (StatusCode::CONFLICT, refused.to_string());
    let mark = |act| desk.podium.note(act, &who).map_err(conflict);
    let fault = fault(form)?;
    let named = || fault.ok_or((StatusCode::BAD_REQUEST, "which fault?".to_string()));
    match what {
        "stop" => {
            if !desk.stop.is_cancelled() {
                desk.podium.stopped(&who);
            }
            desk.stop.cancel();
            Ok(())
        }
        "release" | "skip" => {
            let go = what == "release";
            desk.podium.answer(named()?, go, &who).map_err(conflict)
        }
        "arm" => {
            let armed = desk.podium.arm(named()?, &who);
            armed.map(|_| ()).map_err(conflict)
        }
        "confirm" => desk.podium.confirm(named()?, &who).map_err(conflict),
        "noticed" => mark(HumanAct::Noticed { fault }),
        "decided" => mark(HumanAct::Decided { fault }),
        "acted" => mark(HumanAct::Acted { fault }),
        _ => mark(HumanAct::Note {
            text: form.get("text").cloned().unwrap_or_default(),
        }),
    }
}

fn fault(form: &Fields) -> Result<Option<usize>, Failure> {
    match form.get("fault").map(|text| text.trim()) {
        None | Some("") => Ok(None),
        Some(text) => {
            let wrong = |_| (StatusCode::BAD_REQUEST, format!("{text:?} is no fault"));
            text.parse().map(Some).map_err(wrong)
        }
    }
}
