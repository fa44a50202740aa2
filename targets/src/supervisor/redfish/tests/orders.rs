use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tokio::time::sleep;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_outlet_is_cycled_behind_the_answer() {
    let site = Site::start();
    let outlet = "/PowerEquipment/RackPDUs/pdu-a/Outlets/2";
    let action = format!("{outlet}/Actions/Outlet.PowerControl");
    let cycle = r#"{"PowerState":"PowerCycle"}"#;
    assert_eq!(site.admin(Method::POST, &action, cycle).await.status, 204);
    assert_eq!(site.get(outlet).await["PowerState"], "Off");
    sleep(Duration::from_millis(4_999)).await;
    assert_eq!(site.get(outlet).await["PowerState"], "Off");
    sleep(Duration::from_millis(2)).await;
    assert_eq!(site.get(outlet).await["PowerState"], "On");
}

#[tokio::test(start_paused = true)]
async fn cycles_under_way_are_bounded() {
    let mut config = RedfishConfig::default();
    config.limits.cycles = 2;
    let site = Site::with(config);
    let action = "/PowerEquipment/RackPDUs/pdu-a/Outlets/2/Actions/Outlet.PowerControl";
    let cycle = r#"{"PowerState":"PowerCycle"}"#;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(
            site.admin(Method::POST, action, cycle)
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [204, 204, 503]);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_is_opened_and_closed() {
    let site = Site::start();
    let branch = "/PowerEquipment/RackPDUs/pdu-a/Branches/1";
    let action = format!("{branch}/Actions/Circuit.BreakerControl");
    site.admin(Method::POST, &action, r#"{"PowerState":"Off"}"#)
        .await;
    let open = site.get(branch).await;
    assert_eq!(
        (&open["BreakerState"], &open["PowerState"]),
        (&json!("Off"), &json!("Off"))
    );
    site.admin(Method::POST, &action, r#"{"PowerState":"On"}"#)
        .await;
    assert_eq!(site.get(branch).await["BreakerState"], "Normal");
}

#[tokio::test(start_paused = true)]
async fn a_transfer_switch_is_told_what_to_do() {
    let site = Site::start();
    let ats = "/PowerEquipment/TransferSwitches/ats-a";
    let change = json!({"TransferConfiguration": {
        "PreferredMainsId": "2", "AutoTransferEnabled": false, "RetransferEnabled": false,
    }});
    let reply = site.admin(Method::PATCH, ats, &change.to_string()).await;
    assert_eq!(reply.status, 200);
    let settings = site.get(ats).await["TransferConfiguration"].clone();
    assert_eq!(settings["PreferredMainsId"], "2");
    assert_eq!(settings["TransferInhibit"], true);
    assert_eq!(settings["RetransferEnabled"], false);
    assert_eq!(settings["ActiveMainsId"], "1");
    let action = format!("{ats}/Actions/PowerDistribution.TransferControl");
    assert_eq!(site.admin(Method::POST, &action, "").await.status, 204);
    let settings = site.get(ats).await["TransferConfiguration"].clone();
    assert_eq!(settings["ActiveMainsId"], "2");
}

#[tokio::test(start_paused = true)]
async fn one_bad_property_leaves_all_as_it_was() {
    let site = Site::start();
    let ats = "/PowerEquipment/TransferSwitches/ats-a";
    let change = json!({"TransferConfiguration": {"TransferInhibit": true, "Nonsense": 1}});
    let reply = site.admin(Method::PATCH, ats, &change.to_string()).await;
    assert_eq!(reply.status, 400);
    let settings = site.get(ats).await["TransferConfiguration"].clone();
    assert_eq!(settings["TransferInhibit"], false);
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_held_to_a_power() {
    let site = Site::start();
    let metrics = "/Chassis/gpu-1/EnvironmentMetrics";
    let set = |body: &'static str| site.admin(Method::PATCH, metrics, body);
    let reply = set(r#"{"PowerLimitWatts":{"SetPoint":600}}"#).await;
    let limit = &document(&reply)["PowerLimitWatts"];
    assert_eq!(
        (&limit["SetPoint"], &limit["ControlMode"]),
        (&json!(600.0), &json!("Manual"))
    );
    let low = set(r#"{"PowerLimitWatts":{"SetPoint":10}}"#).await;
    assert_eq!(keys(&low), ["PropertyValueOutOfRange"]);
    let negative = set(r#"{"PowerLimitWatts":{"SetPoint":-1}}"#).await;
    assert_eq!(keys(&negative), ["PropertyValueOutOfRange"]);
    let free = set(r#"{"PowerLimitWatts":{"SetPoint":null}}"#).await;
    let limit = &document(&free)["PowerLimitWatts"];
    assert_eq!(limit["ControlMode"], "Disabled");
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_reset() {
    let site = Site::start();
    site.settle().await;
    let reset = "/Systems/gpu-2/Actions/ComputerSystem.Reset";
    assert_eq!(
        site.get("/Systems/gpu-2").await["LastResetTime"],
        Json::Null
    );
    sleep(Duration::from_millis(1_500)).await;
    site.admin(Method::POST, reset, r#"{"ResetType":"ForceOff"}"#)
        .await;
    site.settle().await;
    let off = site.get("/Systems/gpu-2").await;
    assert_eq!(
        (&off["PowerState"], &off["Status"]["State"]),
        (&json!("Off"), &json!("StandbyOffline"))
    );
    sleep(Duration::from_millis(1_500)).await;
    site.admin(Method::POST, reset, r#"{"ResetType":"On"}"#)
        .await;
    site.settle().await;
    let on = site.get("/Systems/gpu-2").await;
    assert_eq!(on["LastResetCause"], "ManagementCommand");
    assert_eq!(on["LastResetTime"], "2026-01-01T00:00:03.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_plant_that_never_answers_is_given_up() {
    let (board, orders) = fixture::board();
    let core = Core::new(board, RedfishConfig::default(), None);
    let site = Site {
        core: Arc::new(core),
        _tasks: JoinSet::new(),
    };
    let reset = "/Systems/gpu-2/Actions/ComputerSystem.Reset";
    let reply = site
        .admin(Method::POST, reset, r#"{"ResetType":"On"}"#)
        .await;
    assert_eq!(
        (reply.status.as_u16(), header(&reply, "retry-after")),
        (503, "5")
    );
    drop(orders);
}
