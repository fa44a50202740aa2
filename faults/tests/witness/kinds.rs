//! Faults of every kind that the catalogue has, aimed at the ground of these
//! tests.

use std::collections::BTreeSet;

use ridethrough_faults::Aim;
use ridethrough_faults::catalogue::{
    BatteryAged, FaultKind, Latency, Loss, NodeTarget, OnePdu, OneUps, Partition, PowerBrake,
    SupplyLevel, UtilityOutage,
};
use ridethrough_targets::plant::PowerTarget;
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::Direction;

/// The name of a kind, and its aim. A kind that the catalogue gains does not
/// compile here until it is given one.
pub(crate) fn aim(kind: &FaultKind) -> (&'static str, Aim) {
    let supply = || Aim {
        utilities: vec!["grid".into()],
        ups: vec!["ups-a".into()],
        ..Aim::default()
    };
    let ups = || Aim {
        ups: vec!["ups-a".into()],
        ..Aim::default()
    };
    let nodes = || Aim {
        nodes: vec!["gpu-1".into(), "gpu-2".into()],
        observer: Some("gw".into()),
        ..Aim::default()
    };
    let pdus = || Aim {
        pdus: vec!["pdu-a".into()],
        ..Aim::default()
    };
    let link = || Aim {
        link: Some((vec!["gw".into()], vec!["gpu-1".into(), "gpu-2".into()])),
        ..Aim::default()
    };
    match kind {
        FaultKind::UtilityOutage(_) => ("utility_outage", supply()),
        FaultKind::Sag(_) => ("sag", supply()),
        FaultKind::Brownout(_) => ("brownout", supply()),
        FaultKind::BatteryOpen(_) => ("battery_open", ups()),
        FaultKind::BatteryAged(_) => ("battery_aged", ups()),
        FaultKind::BreakerOpens(_) => ("breaker_opens", pdus()),
        FaultKind::PowerLoss(PowerTarget::Feed(_) | PowerTarget::Pdu(_)) => ("power_loss", pdus()),
        FaultKind::PowerLoss(PowerTarget::Rack(_) | PowerTarget::Node(_)) => {
            ("power_loss", nodes())
        }
        FaultKind::PowerBrake(_) => ("power_brake", nodes()),
        FaultKind::Hang(_) => ("hang", nodes()),
        FaultKind::Partition(_) => ("partition", link()),
        FaultKind::LinkDown(_) => ("link_down", nodes()),
        FaultKind::Latency(_) => ("latency", link()),
        FaultKind::Loss(_) => ("loss", link()),
    }
}

/// At least one fault of every kind.
pub(crate) fn all() -> Vec<FaultKind> {
    let level = |to: f64| SupplyLevel {
        utility: None,
        to: PerUnit(to),
    };
    let link = || ("gateway".to_string(), "replica".to_string());
    let node = || NodeTarget::Node("gpu-1".into());
    let partition = |direction| {
        FaultKind::Partition(Partition {
            link: link(),
            direction,
        })
    };
    let all = vec![
        FaultKind::UtilityOutage(UtilityOutage::default()),
        FaultKind::Sag(level(0.6)),
        FaultKind::Brownout(level(0.8)),
        FaultKind::BatteryOpen(OneUps {
            ups: "ups-a".into(),
        }),
        FaultKind::BatteryAged(BatteryAged {
            ups: "ups-a".into(),
            health: PerUnit(0.5),
        }),
        FaultKind::BreakerOpens(OnePdu {
            pdu: "pdu-a".into(),
        }),
        FaultKind::PowerLoss(PowerTarget::Feed("a".into())),
        FaultKind::PowerLoss(PowerTarget::Pdu("pdu-a".into())),
        FaultKind::PowerLoss(PowerTarget::Rack("r1".into())),
        FaultKind::PowerLoss(PowerTarget::Node("gpu-1".into())),
        FaultKind::PowerBrake(PowerBrake {
            target: node(),
            clocks: PerUnit(0.5),
        }),
        FaultKind::Hang(node()),
        partition(Direction::Both),
        partition(Direction::AToB),
        FaultKind::LinkDown(node()),
        FaultKind::Latency(Latency {
            link: link(),
            delay: Span::from_millis(20),
            jitter: Span::from_millis(1),
            direction: Direction::Both,
        }),
        FaultKind::Loss(Loss {
            link: link(),
            probability: PerUnit(0.2),
            direction: Direction::AToB,
        }),
    ];
    let here: BTreeSet<String> = all.iter().map(|kind| aim(kind).0.to_string()).collect();
    assert_eq!(
        here,
        catalogue(),
        "a kind of the catalogue has no fault here"
    );
    all
}

/// The names of the catalogue's kinds, as playbooks write them.
fn catalogue() -> BTreeSet<String> {
    let schema = schemars::schema_for!(FaultKind).to_value();
    let kinds = schema["oneOf"].as_array().expect("kinds");
    let name = |kind: &serde_json::Value| kind["required"][0].as_str().map(str::to_string);
    kinds
        .iter()
        .map(|kind| name(kind).expect("a name"))
        .collect()
}
