//! The account service: accounts and the standard roles.

use hyper::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::body::{refuse, required};
use super::config::{RedfishConfig, RedfishRole};
use super::doc::{collection, link, resource, uri, with};
use super::error::Refusal;
use super::messages::Message;
use super::resource::{Resource, ServiceChange, Step, Wrong, flag, text};
use super::state::{Account, State};

/// Lengths that a password may have.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=64;
/// Longest name of an account.
const MAX_NAME: usize = 32;

/// The service, its accounts and roles, or one of them.
pub(super) fn find(state: &State, path: &[&str]) -> Option<Resource> {
    let here = uri(&["AccountService"]);
    match path {
        [] => Some(Resource::fixed(service(&here)).needs("ConfigureUsers")),
        ["Accounts"] => {
            let members = state.accounts.keys();
            let members = members.map(|id| format!("{here}/Accounts/{id}")).collect();
            let at = format!("{here}/Accounts");
            let document = collection("ManagerAccount", &at, "Accounts", members);
            Some(Resource {
                creates: true,
                ..Resource::fixed(document).needs("ConfigureUsers")
            })
        }
        ["Accounts", id] => Some(account(id, state.accounts.get(*id)?)),
        ["Roles"] => {
            let members = RedfishRole::ALL.map(|role| uri(&["AccountService", "Roles", role.id()]));
            let at = format!("{here}/Roles");
            let document = collection("Role", &at, "Roles", members.to_vec());
            Some(Resource::fixed(document).needs("ConfigureManager"))
        }
        ["Roles", id] => Some(role(RedfishRole::named(id)?)),
        _ => None,
    }
}

fn service(here: &str) -> Json {
    let map = resource("AccountService", here, "AccountService", "Account Service");
    let document = json!({
        "ServiceEnabled": true,
        "Status": {"State": "Enabled", "Health": "OK"},
        "MinPasswordLength": PASSWORD.start(),
        "MaxPasswordLength": PASSWORD.end(),
        "Accounts": link(format!("{here}/Accounts")),
        "Roles": link(format!("{here}/Roles")),
    });
    with(map, document)
}

fn role(role: RedfishRole) -> Resource {
    let id = role.id();
    let here = uri(&["AccountService", "Roles", id]);
    let map = resource("Role", &here, id, &format!("{id} Role"));
    let document = json!({
        "RoleId": id,
        "IsPredefined": true,
        "AssignedPrivileges": role.privileges(),
    });
    Resource::fixed(with(map, document)).needs("ConfigureManager")
}

fn account(id: &str, account: &Account) -> Resource {
    let here = uri(&["AccountService", "Accounts", id]);
    let map = resource("ManagerAccount", &here, id, "User Account");
    let document = json!({
        "UserName": account.name,
        "Password": null,
        "RoleId": account.role.id(),
        "Enabled": account.enabled,
        "Locked": false,
        "AccountTypes": ["Redfish"],
        "Links": {"Role": link(uri(&["AccountService", "Roles", account.role.id()]))},
    });
    let resource = Resource {
        deletes: true,
        ..Resource::fixed(with(map, document)).needs("ConfigureUsers")
    };
    let change = |change| Ok(Step::Service(change));
    resource
        .write("Password", move |value| {
            let password = text(value)?;
            match PASSWORD.contains(&password.len()) {
                true => change(ServiceChange::Password(password.into())),
                false => Err(Wrong::Range),
            }
        })
        .write("RoleId", move |value| {
            let id = text(value)?;
            RedfishRole::named(id).ok_or(Wrong::List)?;
            change(ServiceChange::Role(id.into()))
        })
        .write("Enabled", move |value| {
            change(ServiceChange::Enabled(flag(value)?))
        })
        .write("UserName", move |value| {
            let name = text(value)?;
            match is_name(name) {
                true => change(ServiceChange::UserName(name.into())),
                false => Err(Wrong::Range),
            }
        })
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && !name.contains([':', '\n'])
}

/// A new account: its id.
pub(super) fn create(
    state: &mut State,
    config: &RedfishConfig,
    body: &Map<String, Json>,
) -> Result<String, Refusal> {
    let name = required(body, "UserName")?;
    let password = required(body, "Password")?;
    let role = required(body, "RoleId")?;
    let role_of = RedfishRole::named(role);
    let role = role_of.ok_or_else(|| refuse(Wrong::List, &role.into(), "RoleId"))?;
    if !is_name(name) {
        return Err(refuse(Wrong::Range, &name.into(), "UserName"));
    }
    if !PASSWORD.contains(&password.len()) {
        let hidden = Json::from("******");
        return Err(refuse(Wrong::Range, &hidden, "Password"));
    }
    let mut enabled = true;
    for (property, value) in body.iter().filter(|(p, _)| !p.contains('@')) {
        match property.as_str() {
            "UserName" | "Password" | "RoleId" | "AccountTypes" | "Locked" => {}
            "Enabled" => {
                let flag = value.as_bool();
                enabled = flag.ok_or_else(|| refuse(Wrong::Type, value, property))?;
            }
            _ => {
                let message = Message::new("Base", "PropertyUnknown", &[property]).about(property);
                return Err(Refusal::all(StatusCode::BAD_REQUEST, vec![message]));
            }
        }
    }
    free(state, name, None)?;
    if state.accounts.len() >= config.limits.accounts {
        let key = "CreateLimitReachedForResource";
        return Err(Refusal::bad(key, &[]));
    }
    let id = state.next();
    let account = Account {
        name: name.into(),
        password: password.into(),
        role,
        enabled,
    };
    state.accounts.insert(id.clone(), account);
    Ok(id)
}

/// The name is not that of another account.
pub(super) fn free(state: &State, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    let taken = state
        .accounts
        .iter()
        .any(|(id, a)| a.name == name && Some(id.as_str()) != own);
    match taken {
        true => {
            let arguments = &["ManagerAccount", "UserName", name];
            Err(Refusal::bad("ResourceAlreadyExists", arguments))
        }
        false => Ok(()),
    }
}
