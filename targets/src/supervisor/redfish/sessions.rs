//! The session service.

use serde_json::{Map, Value as Json, json};

use super::access::log_in;
use super::body::required;
use super::config::RedfishConfig;
use super::doc::{collection, digest, link, resource, uri, with};
use super::error::Refusal;
use super::resource::{Resource, ServiceChange, Step, Wrong};
use super::site::date;
use super::state::{Session, State};
use crate::clock::Micros;

/// Shortest and longest idle time, as the schema has them.
const TIMEOUTS: std::ops::RangeInclusive<u64> = 30..=86_400;

/// The service, its sessions, or one of them.
pub(super) fn find(state: &State, config: &RedfishConfig, path: &[&str]) -> Option<Resource> {
    let here = uri(&["SessionService"]);
    match path {
        [] => {
            let map = resource("SessionService", &here, "SessionService", "Session Service");
            let document = json!({
                "ServiceEnabled": true,
                "SessionTimeout": state.session_timeout_s,
                "Status": {"State": "Enabled", "Health": "OK"},
                "Sessions": link(format!("{here}/Sessions")),
            });
            let resource = Resource::fixed(with(map, document)).needs("ConfigureManager");
            Some(resource.write("SessionTimeout", |value| {
                let seconds = value.as_u64().ok_or(Wrong::Type)?;
                if !TIMEOUTS.contains(&seconds) {
                    return Err(Wrong::Range);
                }
                Ok(Step::Service(ServiceChange::SessionTimeout(seconds as u32)))
            }))
        }
        ["Sessions"] => {
            let members = state.sessions.keys();
            let members = members.map(|id| format!("{here}/Sessions/{id}")).collect();
            let at = format!("{here}/Sessions");
            let document = collection("Session", &at, "Sessions", members);
            Some(Resource {
                creates: true,
                ..Resource::fixed(document)
            })
        }
        ["Sessions", id] => {
            let session = state.sessions.get(*id)?;
            Some(Resource {
                deletes: true,
                ..Resource::fixed(one(state, config, id, session)).needs("ConfigureManager")
            })
        }
        _ => None,
    }
}

fn one(state: &State, config: &RedfishConfig, id: &str, session: &Session) -> Json {
    let here = uri(&["SessionService", "Sessions", id]);
    let map = resource("Session", &here, id, &format!("Session {id}"));
    let account = state.accounts.get(&session.account);
    let name = account.map_or("", |account| account.name.as_str());
    let document = json!({
        "UserName": name,
        "Password": null,
        "SessionType": "Redfish",
        "CreatedTime": date(config, session.created_us),
    });
    with(map, document)
}

/// Logs in: the id of the new session.
pub(super) fn create(
    state: &mut State,
    config: &RedfishConfig,
    body: &Map<String, Json>,
    now_us: Micros,
) -> Result<String, Refusal> {
    let name = required(body, "UserName")?;
    let password = required(body, "Password")?;
    let caller =
        log_in(state, name, password).ok_or_else(|| Refusal::unauthorized("AccessDenied"))?;
    state.expire(now_us);
    while state.sessions.len() >= config.limits.sessions.max(1) {
        let oldest = state.sessions.iter().min_by_key(|(_, s)| s.used_us);
        let Some(oldest) = oldest.map(|(id, _)| id.clone()) else {
            break;
        };
        state.sessions.shift_remove(&oldest);
    }
    let id = state.next();
    let seed = config.seed.to_string();
    let session = Session {
        token: digest(&["token", &seed, &id, &now_us.to_string(), name]),
        account: caller.account,
        created_us: now_us,
        used_us: now_us,
    };
    state.sessions.insert(id.clone(), session);
    Ok(id)
}
