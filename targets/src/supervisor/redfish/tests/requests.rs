use hyper::Method;
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn every_link_leads_somewhere() {
    let site = Site::start();
    site.settle().await;
    let mut todo = vec!["/redfish/v1/".to_string()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(uri) = todo.pop() {
        if !seen.insert(uri.clone()) || uri.contains("/Actions/") {
            continue;
        }
        let path = uri.strip_prefix("/redfish/v1").unwrap();
        let document = site.get(path).await;
        let mut inner = vec![&document];
        while let Some(value) = inner.pop() {
            match value {
                Json::Object(map) => {
                    for name in ["@odata.id", "DataSourceUri"] {
                        todo.extend(map.get(name).and_then(Json::as_str).map(str::to_string));
                    }
                    inner.extend(map.values());
                }
                Json::Array(list) => inner.extend(list),
                _ => {}
            }
        }
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

#[tokio::test(start_paused = true)]
async fn the_door_opens_for_those_who_may() {
    let site = Site::start();
    let get = |path: &'static str, headers: &'static [(&str, &str)]| {
        let site = &site;
        async move { site.ask(Method::GET, path, headers, "").await }
    };
    assert_eq!(get("/redfish", &[]).await.status, 200);
    assert_eq!(get("/redfish/v1", &[]).await.status, 200);
    assert_eq!(get("/redfish/v1/$metadata", &[]).await.status, 200);
    assert_eq!(get("/redfish/v1/odata", &[]).await.status, 200);
    let closed = get("/redfish/v1/Systems", &[]).await;
    assert_eq!(closed.status, 401);
    assert!(header(&closed, "www-authenticate").starts_with("Basic"));
    let wrong = &[("authorization", "Basic eDp5")];
    assert_eq!(get("/redfish/v1/Systems", wrong).await.status, 401);
    let token = &[("x-auth-token", "0")];
    assert_eq!(get("/redfish/v1/Systems", token).await.status, 401);
    let outlet = "/redfish/v1/PowerEquipment/RackPDUs/pdu-a/Outlets/1/Actions/Outlet.PowerControl";
    let off = r#"{"PowerState":"Off"}"#;
    let post = async |user: &'static str| {
        let headers = [("authorization", user)];
        site.ask(Method::POST, outlet, &headers, off).await
    };
    let refused = post(READER).await;
    assert_eq!(refused.status, 403);
    assert_eq!(keys(&refused), ["InsufficientPrivilege"]);
    assert_eq!(post(OPERATOR).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_nobody_uses_it() {
    let site = Site::start();
    let login = r#"{"UserName":"reader","Password":"reader"}"#;
    let sessions = "/redfish/v1/SessionService/Sessions";
    let reply = site.ask(Method::POST, sessions, &[], login).await;
    assert_eq!(reply.status, 201);
    let token = header(&reply, "x-auth-token").to_string();
    let location = header(&reply, "location").to_string();
    let headers = [("x-auth-token", token.as_str())];
    let see = || site.ask(Method::GET, &location, &headers, "");
    tokio::time::advance(std::time::Duration::from_secs(1_700)).await;
    assert_eq!(see().await.status, 200);
    tokio::time::advance(std::time::Duration::from_secs(1_700)).await;
    assert_eq!(see().await.status, 200);
    tokio::time::advance(std::time::Duration::from_secs(1_801)).await;
    assert_eq!(see().await.status, 401);
    let wrong = r#"{"UserName":"reader","Password":"x"}"#;
    let refused = site.ask(Method::POST, sessions, &[], wrong).await;
    assert_eq!(refused.status, 401);
    let short = site
        .ask(Method::POST, sessions, &[], r#"{"UserName":"reader"}"#)
        .await;
    assert_eq!(
        (short.status.as_u16(), keys(&short)),
        (400, vec!["PropertyMissing".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_are_bounded() {
    let mut config = RedfishConfig::default();
    config.limits.sessions = 3;
    let site = Site::with(config);
    let login = r#"{"UserName":"reader","Password":"reader"}"#;
    for _ in 0..10 {
        let sessions = "/redfish/v1/SessionService/Sessions";
        let reply = site.ask(Method::POST, sessions, &[], login).await;
        assert_eq!(reply.status, 201);
    }
    let sessions = site.get("/SessionService/Sessions").await;
    assert_eq!(sessions["Members@odata.count"], 3);
}

const ATS: &str = "/PowerEquipment/TransferSwitches/ats-a";
const RESET: &str = "/Systems/gpu-1/Actions/ComputerSystem.Reset";

/// A request, its status and the key of its message.
type Refused = (Method, &'static str, &'static str, u16, &'static str);

fn refused() -> Vec<Refused> {
    vec![
        (Method::GET, "/Nothing", "", 404, "ResourceNotFound"),
        (Method::DELETE, "/Systems", "", 405, "OperationNotAllowed"),
        (Method::PUT, "/Systems", "", 405, "OperationNotAllowed"),
        (
            Method::PATCH,
            "/Systems/gpu-1",
            "{}",
            405,
            "OperationNotAllowed",
        ),
        (Method::PATCH, ATS, "{", 400, "MalformedJSON"),
        (Method::PATCH, ATS, "[]", 400, "UnrecognizedRequestBody"),
        (Method::PATCH, ATS, "{}", 400, "EmptyJSON"),
        (
            Method::PATCH,
            ATS,
            r#"{"@odata.id":"x"}"#,
            400,
            "NoOperation",
        ),
        (Method::PATCH, ATS, r#"{"X":1}"#, 400, "PropertyUnknown"),
        (
            Method::PATCH,
            ATS,
            r#"{"Id":"x"}"#,
            400,
            "PropertyNotWritable",
        ),
        (
            Method::PATCH,
            ATS,
            r#"{"TransferConfiguration":{"TransferInhibit":3}}"#,
            400,
            "PropertyValueTypeError",
        ),
        (
            Method::PATCH,
            ATS,
            r#"{"TransferConfiguration":{"PreferredMainsId":"3"}}"#,
            400,
            "PropertyValueNotInList",
        ),
        (Method::POST, RESET, "", 400, "ActionParameterMissing"),
        (
            Method::POST,
            RESET,
            r#"{"A":1}"#,
            400,
            "ActionParameterUnknown",
        ),
        (
            Method::POST,
            RESET,
            r#"{"ResetType":"Nmi"}"#,
            400,
            "ActionParameterValueNotInList",
        ),
        (
            Method::POST,
            RESET,
            r#"{"ResetType":1}"#,
            400,
            "ActionParameterValueTypeError",
        ),
        (
            Method::POST,
            "/Systems/gpu-1/Actions/X.Y",
            "",
            404,
            "ActionNotSupported",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn refusals_are_redfish_errors() {
    let site = Site::start();
    for (method, path, body, status, key) in refused() {
        let reply = site.admin(method.clone(), path, body).await;
        let saw = (reply.status.as_u16(), keys(&reply));
        assert_eq!(saw, (status, vec![key.into()]), "{method} {path} {body}");
    }
    let reply = site.admin(Method::DELETE, "/Systems", "").await;
    assert_eq!(header(&reply, "allow"), "GET, HEAD");
}

#[tokio::test(start_paused = true)]
async fn headers_are_looked_at() {
    let site = Site::start();
    let patch = |name: &'static str, value: &'static str| {
        let headers = [("authorization", ADMIN), (name, value)];
        let site = &site;
        async move {
            let path = "/redfish/v1/PowerEquipment/TransferSwitches/ats-a";
            let body = r#"{"TransferConfiguration":{"TransferInhibit":true}}"#;
            let reply = site.ask(Method::PATCH, path, &headers, body).await;
            reply.status.as_u16()
        }
    };
    assert_eq!(patch("content-type", "text/plain").await, 415);
    assert_eq!(patch("odata-version", "4.1").await, 412);
    assert_eq!(patch("if-match", "\"no\"").await, 412);
    assert_eq!(
        patch("content-type", "application/json; charset=utf-8").await,
        200
    );
    let read = site.admin(Method::GET, "/Systems", "").await;
    let tag = header(&read, "etag").to_string();
    let headers = [("authorization", ADMIN), ("if-none-match", tag.as_str())];
    let again = site
        .ask(Method::GET, "/redfish/v1/Systems", &headers, "")
        .await;
    assert_eq!(again.status, 304);
    let headers = [("authorization", ADMIN), ("accept", "text/html")];
    let picky = site
        .ask(Method::GET, "/redfish/v1/Systems", &headers, "")
        .await;
    assert_eq!(picky.status, 406);
}

#[tokio::test(start_paused = true)]
async fn accounts_come_and_go() {
    let site = Site::start();
    let new = json!({"UserName": "kim", "Password": "kim's password", "RoleId": "Operator"});
    let reply = site
        .admin(Method::POST, "/AccountService/Accounts", &new.to_string())
        .await;
    assert_eq!(reply.status, 201);
    let location = header(&reply, "location").to_string();
    let path = location.strip_prefix("/redfish/v1").unwrap();
    let twin = site
        .admin(Method::POST, "/AccountService/Accounts", &new.to_string())
        .await;
    assert_eq!(keys(&twin), ["ResourceAlreadyExists"]);
    let change = r#"{"RoleId":"ReadOnly","Password":"another one"}"#;
    let reply = site.admin(Method::PATCH, path, change).await;
    assert_eq!(document(&reply)["RoleId"], "ReadOnly");
    assert_eq!(document(&reply)["Password"], Json::Null);
    // reader may change its own password, and nothing else.
    let own = "/redfish/v1/AccountService/Accounts/3";
    let reader = [("authorization", READER)];
    let role = site
        .ask(Method::PATCH, own, &reader, r#"{"RoleId":"Administrator"}"#)
        .await;
    assert_eq!(role.status, 403);
    let word = site
        .ask(Method::PATCH, own, &reader, r#"{"Password":"long enough"}"#)
        .await;
    assert_eq!(word.status, 200);
    assert_eq!(site.admin(Method::DELETE, path, "").await.status, 204);
    assert_eq!(site.admin(Method::GET, path, "").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn queries_shape_the_answer() {
    let site = Site::start();
    let only = site.get("/Managers?only").await;
    assert_eq!(only["Id"], "supervisor");
    let selected = site
        .get("/Systems/gpu-1?$select=PowerState,Status/Health")
        .await;
    assert_eq!(selected["Status"], json!({"Health": "OK"}));
    assert_eq!(selected["SerialNumber"], Json::Null);
    let expanded = site
        .get("/PowerEquipment/RackPDUs?$expand=.($levels=1)")
        .await;
    assert_eq!(expanded["Members"][1]["Id"], "pdu-b");
    let unknown = site.admin(Method::GET, "/Systems?$top=1", "").await;
    assert_eq!(unknown.status, 501);
}
