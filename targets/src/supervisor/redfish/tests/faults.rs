use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::*;
use crate::telemetry::{Distorted, Distortion, Protocol};

fn distort(site: &Site, how: Distortion, devices: &[&str]) {
    let distorted = Distorted {
        how,
        protocols: vec![Protocol::Redfish],
        devices: devices.iter().map(ToString::to_string).collect(),
    };
    site.core.board.distort(1, distorted);
}

const PDU: &str = "/PowerEquipment/RackPDUs/pdu-a";

#[tokio::test(start_paused = true)]
async fn an_agent_that_lost_its_device_says_so() {
    let site = Site::start();
    site.settle().await;
    distort(&site, Distortion::Stale, &["pdu-a", "gpu-1"]);
    let pdu = site.get(PDU).await;
    assert_eq!(
        pdu["Status"],
        json!({"State": "UnavailableOffline", "Health": "Critical"})
    );
    let outlet = site.get(&format!("{PDU}/Outlets/1")).await;
    assert_eq!(outlet["PowerState"], Json::Null);
    assert_eq!(outlet["PowerWatts"]["Reading"], Json::Null);
    let action = format!("{PDU}/Outlets/1/Actions/Outlet.PowerControl");
    let refused = site
        .admin(Method::POST, &action, r#"{"PowerState":"Off"}"#)
        .await;
    assert_eq!(refused.status, 503);
    let body = r#"{"PowerLimitWatts":{"SetPoint":600}}"#;
    let refused = site
        .admin(Method::PATCH, "/Chassis/gpu-1/EnvironmentMetrics", body)
        .await;
    assert_eq!(refused.status, 503);
    let other = site.get("/PowerEquipment/RackPDUs/pdu-b").await;
    assert_eq!(other["Status"]["State"], "Enabled");
}

#[tokio::test(start_paused = true)]
async fn a_silent_agent_never_answers() {
    let site = Site::start();
    distort(&site, Distortion::Lost, &["pdu-a"]);
    let hour = Duration::from_secs(3600);
    let path = format!("{PDU}/Outlets/1");
    assert!(
        timeout(hour, site.admin(Method::GET, &path, ""))
            .await
            .is_err()
    );
    assert_eq!(
        site.get("/PowerEquipment/RackPDUs/pdu-b").await["Id"],
        "pdu-b"
    );
    distort(&site, Distortion::Lost, &[]);
    assert!(
        timeout(hour, site.admin(Method::GET, "/", ""))
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_agent_slows_nobody_else() {
    let site = Site::start();
    let by = Span::from_secs(3);
    distort(&site, Distortion::Slow { by }, &["pdu-a"]);
    let asked = Instant::now();
    let slow = async {
        site.get(PDU).await;
        asked.elapsed()
    };
    let fast = async {
        site.get("/PowerEquipment/RackPDUs/pdu-b").await;
        asked.elapsed()
    };
    assert_eq!(tokio::join!(slow, fast), (by.duration(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_lie_is_shown_as_truth() {
    let site = Site::start();
    let lie = Distortion::Lie {
        variable: "v".into(),
        value: json!(111.0),
    };
    distort(&site, lie, &["pdu-a"]);
    let sensor = site.get(&format!("{PDU}/Sensors/Voltage")).await;
    assert_eq!(sensor["Reading"], 111.0);
    assert_eq!(sensor["Status"]["State"], "Enabled");
}
