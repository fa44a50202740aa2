//! Requests that change something.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value as Json};
use tokio::time::sleep;

use super::access::Caller;
use super::ask::{Ask, Content, Reply};
use super::config::RedfishRole;
use super::core::Core;
use super::doc::uri;
use super::error::Refusal;
use super::events::{self, Receiver, Subscription};
use super::patch::Asked;
use super::query::Query;
use super::resource::{Resource, ServiceChange, Step};
use super::service::{find, matches, resource};
use super::state::State;
use super::{accounts, act, body, patch as patches, sessions, tree};
use crate::clock::Micros;
use crate::supervisor::web::BodyFault;

/// The object of a request's body.
fn object(ask: &Ask) -> Result<Map<String, Json>, Refusal> {
    let bytes = match &ask.body {
        Ok(bytes) => bytes,
        Err(BodyFault::TooLarge) => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Refusal::new(status, "PayloadTooLarge", &[]));
        }
        Err(BodyFault::Late) => {
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(Refusal::new(status, "UnrecognizedRequestBody", &[]));
        }
        Err(BodyFault::Broken) => return Err(Refusal::bad("UnrecognizedRequestBody", &[])),
    };
    let kind = ask.headers.get("content-type");
    let kind = kind.map(|kind| kind.to_str().unwrap_or_default());
    let media = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if media.is_some_and(|media| !media.eq_ignore_ascii_case("application/json")) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Refusal::new(status, "HeaderInvalid", &["Content-Type"]));
    }
    body::object(bytes)
}

fn need(caller: &Caller, privilege: &str) -> Result<(), Refusal> {
    match caller.may(privilege) {
        true => Ok(()),
        false => Err(Refusal::forbidden()),
    }
}

/// The answer to what made a resource.
fn created(core: &Core, path: &[&str]) -> Result<Reply, Refusal> {
    let document = resource(core, path)?.shown();
    let mut reply = Reply::new(StatusCode::CREATED, Content::Nothing).header("location", uri(path));
    if let Some(tag) = document["@odata.etag"].as_str() {
        reply = reply.header("etag", tag);
    }
    reply.content = Content::Json(document);
    Ok(reply)
}

/// Logs in.
pub(super) fn log_in(core: &Core, ask: &Ask, now_us: Micros) -> Result<Reply, Refusal> {
    let body = object(ask)?;
    let (id, token) = {
        let mut state = core.lock();
        let id = sessions::create(&mut state, &core.config, &body, now_us)?;
        let token = state.sessions.get(&id).map(|s| s.token.clone());
        (id, token.unwrap_or_default())
    };
    let reply = created(core, &["SessionService", "Sessions", &id])?;
    Ok(reply.header("x-auth-token", token))
}

/// A POST: an action, or a new member.
pub(super) async fn post(
    core: &Arc<Core>,
    ask: &Ask,
    path: &[&str],
    caller: &Caller,
) -> Result<Reply, Refusal> {
    if let [parent @ .., "Actions", name] = path {
        return action(core, ask, parent, name, caller).await;
    }
    // A collection's members may be made at `Members` too.
    let path = match path {
        [collection @ .., "Members"] => collection,
        path => path,
    };
    let target = resource(core, path)?;
    if !target.creates {
        return Err(Refusal::method(&target.allow()));
    }
    need(caller, target.privilege)?;
    let body = object(ask)?;
    match path {
        ["AccountService", "Accounts"] => {
            let id = accounts::create(&mut core.lock(), &core.config, &body)?;
            created(core, &["AccountService", "Accounts", &id])
        }
        ["EventService", "Subscriptions"] => subscribe(core, &body),
        _ => Err(Refusal::method(&target.allow())),
    }
}

fn subscribe(core: &Arc<Core>, body: &Map<String, Json>) -> Result<Reply, Refusal> {
    let subscription = events::create(body)?;
    let net = core.net.clone().ok_or_else(Refusal::unavailable)?;
    let id = add(core, subscription)?;
    core.behind(events::deliver(Arc::clone(core), net, id.clone()));
    created(core, &["EventService", "Subscriptions", &id])
}

/// Adds a subscription that hears of what happens from now on.
fn add(core: &Core, mut subscription: Subscription) -> Result<String, Refusal> {
    let mut state = core.lock();
    if state.subscriptions.len() >= core.config.limits.subscriptions {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Refusal::new(status, "CreateLimitReachedForResource", &[]));
    }
    subscription.seen = state.log.last();
    let id = state.next();
    state.subscriptions.insert(id.clone(), subscription);
    Ok(id)
}

/// Opens an event stream: its subscription lives as long as it does.
pub(super) fn open_stream(core: &Core, ask: &Ask) -> Result<Reply, Refusal> {
    if ask.method == hyper::Method::HEAD {
        return Ok(Reply::new(StatusCode::OK, Content::Nothing));
    }
    let accept = ask.headers.get("accept").and_then(|a| a.to_str().ok());
    if accept.is_some_and(|a| !a.contains("text/event-stream") && !a.contains("*/*")) {
        let status = StatusCode::NOT_ACCEPTABLE;
        return Err(Refusal::new(status, "HeaderInvalid", &["Accept"]));
    }
    let query = Query::read(&ask.query, true)?;
    let filter = match &query.filter {
        Some(text) => events::Filter::read(text).ok_or_else(|| {
            let arguments = &[text.as_str(), "$filter"];
            Refusal::bad("QueryParameterValueFormatError", arguments)
        })?,
        None => events::Filter::default(),
    };
    let subscription = Subscription {
        receiver: Receiver::Stream,
        context: String::new(),
        policy: "TerminateAfterRetries".into(),
        filter,
        suspended: false,
        seen: 0,
    };
    let id = add(core, subscription)?;
    Ok(Reply::new(StatusCode::OK, Content::Stream(id)))
}

async fn action(
    core: &Arc<Core>,
    ask: &Ask,
    parent: &[&str],
    name: &str,
    caller: &Caller,
) -> Result<Reply, Refusal> {
    let target = resource(core, parent)?;
    let action = target.actions.iter().find(|action| action.name == name);
    let action =
        action.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "ActionNotSupported", &[name]))?;
    need(caller, target.privilege)?;
    let empty = matches!(&ask.body, Ok(bytes) if bytes.is_empty());
    let body = match empty {
        true => Map::new(),
        false => object(ask)?,
    };
    if name == "EventService.SubmitTestEvent" {
        let now_us = core.board.clock().now_us();
        core.tell(vec![events::test_event(&body, now_us)?]);
        return Ok(Reply::nothing());
    }
    let steps = act::read(action, &body)?;
    let device = tree::device(parent).unwrap_or_default().to_string();
    run(core, &device, name, steps).await?;
    Ok(Reply::nothing())
}

/// The device's agent has lost it.
fn is_lost(core: &Core, device: &str) -> bool {
    core.look(device).is_none_or(|look| !look.fresh)
}

/// Runs an action's steps. Those after a pause run behind the answer.
async fn run(core: &Arc<Core>, device: &str, name: &str, steps: Vec<Step>) -> Result<(), Refusal> {
    if is_lost(core, device) {
        return Err(Refusal::unavailable());
    }
    let pauses = steps.contains(&Step::Pause);
    let place = match pauses {
        true => {
            let place = Arc::clone(&core.cycles).try_acquire_owned();
            Some(place.map_err(|_| Refusal::unavailable())?)
        }
        false => None,
    };
    let mut steps = steps.into_iter();
    for step in steps.by_ref() {
        match step {
            Step::Order(command) => {
                let done = core.order(device, command).await;
                done.map_err(|error| Refusal::of_order(&error, name, ""))?;
            }
            Step::Pause => break,
            Step::Service(_) => {}
        }
    }
    let rest: Vec<Step> = steps.collect();
    if pauses {
        let (again, device) = (Arc::clone(core), device.to_string());
        let pause = core.config.cycle.duration();
        core.behind(async move {
            let _place = place;
            sleep(pause).await;
            for step in rest {
                if let Step::Order(command) = step
                    && let Err(error) = again.order(&device, command).await
                {
                    tracing::debug!(device, %error, "power cycle");
                }
            }
        });
    }
    Ok(())
}

/// A PATCH.
pub(super) async fn patch(
    core: &Arc<Core>,
    ask: &Ask,
    path: &[&str],
    caller: &Caller,
) -> Result<Reply, Refusal> {
    let target = resource(core, path)?;
    if target.writes.is_empty() {
        return Err(Refusal::method(&target.allow()));
    }
    let own = is_own(path, caller);
    if !(own && caller.may("ConfigureSelf")) {
        need(caller, target.privilege)?;
    }
    check_tag(ask, &target)?;
    let body = object(ask)?;
    let asked = patches::read(&target, &body)?;
    let only_self = own && !caller.may(target.privilege);
    if only_self && asked.iter().any(|a| a.property != "Password") {
        return Err(Refusal::forbidden());
    }
    for Asked {
        step,
        property,
        value,
    } in asked
    {
        match step {
            Step::Order(command) => {
                let device = tree::device(path).unwrap_or_default();
                if is_lost(core, device) {
                    return Err(Refusal::unavailable());
                }
                let done = core.order(device, command).await;
                let shown = body::shown(&value);
                done.map_err(|error| Refusal::of_order(&error, &property, &shown))?;
            }
            Step::Service(change) => apply(&mut core.lock(), path, change)?,
            Step::Pause => {}
        }
    }
    let document = resource(core, path)?.shown();
    let tag = document["@odata.etag"].as_str().map(str::to_string);
    let reply = Reply::json(document);
    Ok(match tag {
        Some(tag) => reply.header("etag", tag),
        None => reply,
    })
}

/// The path is the caller's own account.
fn is_own(path: &[&str], caller: &Caller) -> bool {
    matches!(path, ["AccountService", "Accounts", id] if *id == caller.account)
}

fn check_tag(ask: &Ask, target: &Resource) -> Result<(), Refusal> {
    let Some(wanted) = ask.headers.get("if-match") else {
        return Ok(());
    };
    let document = target.shown();
    let tag = document["@odata.etag"].as_str().unwrap_or_default();
    match matches(wanted.as_bytes(), tag) {
        true => Ok(()),
        false => {
            let status = StatusCode::PRECONDITION_FAILED;
            Err(Refusal::new(status, "PreconditionFailed", &[]))
        }
    }
}

fn apply(state: &mut State, path: &[&str], change: ServiceChange) -> Result<(), Refusal> {
    let id = path.last().copied().unwrap_or_default();
    match change {
        ServiceChange::SessionTimeout(seconds) => state.session_timeout_s = seconds,
        ServiceChange::NtpServers(servers) => state.ntp_servers = servers,
        ServiceChange::UserName(name) => {
            accounts::free(state, &name, Some(id))?;
            if let Some(account) = state.accounts.get_mut(id) {
                account.name = name;
            }
        }
        ServiceChange::Password(password) => {
            if let Some(account) = state.accounts.get_mut(id) {
                account.password = password;
            }
        }
        ServiceChange::Role(role) => {
            if let (Some(account), Some(role)) =
                (state.accounts.get_mut(id), RedfishRole::named(&role))
            {
                account.role = role;
            }
        }
        ServiceChange::Enabled(enabled) => {
            if let Some(account) = state.accounts.get_mut(id) {
                account.enabled = enabled;
            }
        }
        ServiceChange::Context(context) => {
            if let Some(subscription) = state.subscriptions.get_mut(id) {
                subscription.context = context;
            }
        }
        ServiceChange::RetryPolicy(policy) => {
            if let Some(subscription) = state.subscriptions.get_mut(id) {
                subscription.policy = policy;
            }
        }
    }
    Ok(())
}

/// A DELETE.
pub(super) fn delete(core: &Core, path: &[&str], caller: &Caller) -> Result<Reply, Refusal> {
    let mut state = core.lock();
    let target = find(core, &state, path);
    let name = path.last().copied().unwrap_or_default();
    let target = target.ok_or_else(|| Refusal::not_found("resource", name))?;
    if !target.deletes {
        return Err(Refusal::method(&target.allow()));
    }
    match path {
        ["SessionService", "Sessions", id] => {
            if caller.session.as_deref() != Some(*id) {
                let owner = state.sessions.get(*id).map(|s| s.account.clone());
                let own = owner.as_deref() == Some(&caller.account);
                let privilege = if own {
                    "ConfigureSelf"
                } else {
                    target.privilege
                };
                need(caller, privilege)?;
            }
            state.sessions.shift_remove(*id);
        }
        ["AccountService", "Accounts", id] => {
            need(caller, target.privilege)?;
            state.accounts.shift_remove(*id);
            state.sessions.retain(|_, session| session.account != *id);
        }
        ["EventService", "Subscriptions", id] => {
            need(caller, target.privilege)?;
            state.subscriptions.shift_remove(*id);
            core.told.notify_waiters();
        }
        _ => return Err(Refusal::method(&target.allow())),
    }
    Ok(Reply::nothing())
}
