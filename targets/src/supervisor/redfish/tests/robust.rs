use hyper::Method;
use proptest::prelude::*;

use super::*;

/// Paths that are real, nearly real, or nothing at all.
fn paths() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        proptest::sample::select(vec![
            "Systems",
            "Chassis",
            "PowerEquipment",
            "RackPDUs",
            "TransferSwitches",
            "PowerShelves",
            "pdu-a",
            "ats-a",
            "gpu-1",
            "shelf-1",
            "bess-1",
            "Outlets",
            "Mains",
            "Branches",
            "1",
            "Sensors",
            "PowerSubsystem",
            "PowerSupplies",
            "Batteries",
            "Metrics",
            "Actions",
            "Outlet.PowerControl",
            "ComputerSystem.Reset",
            "EnvironmentMetrics",
            "SessionService",
            "Sessions",
            "AccountService",
            "Accounts",
            "Roles",
            "EventService",
            "Subscriptions",
            "SSE",
            "EventService.SubmitTestEvent",
            "Managers",
            "supervisor",
            "NetworkProtocol",
            "Registries",
            "Power",
            "Registry.json",
            "JsonSchemas",
            "Members",
            "$metadata",
            "odata",
        ])
        .prop_map(str::to_string),
        "[ -~]{0,12}",
        Just("%zz".to_string()),
        Just("%ff".to_string()),
        Just(String::new()),
    ];
    let query = prop_oneof![Just(String::new()), "\\?[$a-z=().,*~%]{0,20}"];
    (proptest::collection::vec(part, 0..7), query).prop_map(|(parts, query)| {
        let path = parts.join("/").replace('?', "");
        format!("/redfish/v1/{path}{query}")
    })
}

fn json(depth: u32) -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[ -~]{0,12}".prop_map(Json::from),
    ];
    let name = prop_oneof![
        proptest::sample::select(vec![
            "PowerState",
            "ResetType",
            "TransferConfiguration",
            "PreferredMainsId",
            "Destination",
            "PowerLimitWatts",
            "SetPoint",
            "UserName",
            "Password",
            "RoleId",
            "NTP",
            "NTPServers",
            "Protocol",
            "MessageId",
            "OriginResources",
            "RegistryPrefixes",
            "@odata.id",
        ])
        .prop_map(str::to_string),
        "[ -~]{0,8}",
    ];
    leaf.prop_recursive(depth, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_is_answered_as_redfish_says(
        path in paths(),
        method in proptest::sample::select(vec!["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "X"]),
        body in prop_oneof![json(4).prop_map(|json| json.to_string()), "[ -~]{0,40}"],
        user in proptest::sample::select(vec![ADMIN, OPERATOR, READER, "Basic x", "nonsense"]),
        kind in proptest::sample::select(vec!["application/json", "text/plain"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let reply = runtime.block_on(async {
            let site = Site::start();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let headers = [("authorization", user), ("content-type", kind)];
            site.ask(method, &path, &headers, &body).await
        });
        if reply.status.is_client_error() || reply.status.is_server_error() {
            let error = &document(&reply)["error"];
            prop_assert!(error["code"].is_string() && error["message"].is_string());
            let info = error["@Message.ExtendedInfo"].as_array();
            prop_assert!(info.is_some_and(|info| !info.is_empty()));
            prop_assert!(reply.status != 500);
        } else {
            prop_assert!(reply.status.is_success());
        }
    }
}
