//! Faults of every kind that the catalogue has, aimed at the ground of these
//! tests.

use std::collections::BTreeSet;
use std::time::Duration;

use ridethrough_faults::catalogue::{
    BatteryAged, BreakerPickup, FaultKind, FrequencyLevel, GeneratorFails, NodeTarget, OneCooling,
    OneOutlet, OnePdu, OneSupply, OneTransfer, OneUps, PowerBrake, PowerCap, SupplyLevel,
    TelemetryFlapping, TelemetryLie, TelemetryScale, TelemetryTarget, TelemetryTime, UtilityOutage,
    Waveform,
};
use ridethrough_faults::{Aim, Question};
use ridethrough_targets::plant::{GeneratorFault, PlantAction, PowerTarget};
use ridethrough_targets::telemetry::Protocol;
use ridethrough_targets::units::{Hertz, PerUnit, Span, Watts};

use crate::{network, power};

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
    let volumes = || Aim {
        volumes: ["gpu-1", "gpu-2"]
            .map(|node| (node.to_string(), "journal".to_string()))
            .to_vec(),
        ..Aim::default()
    };
    let built = || Aim {
        site: Some(power::site()),
        ..Aim::default()
    };
    let asked = || Aim {
        questions: [Protocol::Nut, Protocol::Snmp].map(question).to_vec(),
        ..Aim::default()
    };
    match kind {
        FaultKind::Swell(_) => ("swell", supply()),
        FaultKind::Frequency(_) => ("frequency", supply()),
        FaultKind::Waveform(_) => ("waveform", supply()),
        FaultKind::GeneratorFails(_) => ("generator_fails", built()),
        FaultKind::AtsFails(_) => ("ats_fails", built()),
        FaultKind::UpsFails(_) => ("ups_fails", built()),
        FaultKind::UpsBypass(_) => ("ups_bypass", built()),
        FaultKind::RetransferFails(_) => ("retransfer_fails", built()),
        FaultKind::BreakerPickup(_) => ("breaker_pickup", built()),
        FaultKind::OutletOff(_) => ("outlet_off", built()),
        FaultKind::PsuFails(_) => ("psu_fails", built()),
        FaultKind::CoolingTrips(_) => ("cooling_trips", built()),
        FaultKind::PowerCap(_) => ("power_cap", nodes()),
        FaultKind::UtilityOutage(_) => ("utility_outage", supply()),
        FaultKind::Sag(_) => ("sag", supply()),
        FaultKind::Brownout(_) => ("brownout", supply()),
        FaultKind::BatteryOpen(_) => ("battery_open", ups()),
        FaultKind::BatteryAged(_) => ("battery_aged", ups()),
        FaultKind::BreakerOpens(_) => ("breaker_opens", pdus()),
        FaultKind::PowerLoss(PowerTarget::Feed(_) | PowerTarget::Pdu(_)) => ("power_loss", pdus()),
        FaultKind::PowerLoss(PowerTarget::Rack(_)) => ("power_loss", nodes()),
        FaultKind::PowerLoss(PowerTarget::Node(node)) => {
            let nodes = vec![node.clone()];
            let aim = Aim {
                nodes,
                ..Aim::default()
            };
            ("power_loss", aim)
        }
        FaultKind::PowerBrake(_) => ("power_brake", nodes()),
        FaultKind::Hang(_) => ("hang", nodes()),
        FaultKind::SlowBoot(_) => ("slow_boot", nodes()),
        FaultKind::CrashLoop(_) => ("crash_loop", nodes()),
        FaultKind::CpuTheft(_) => ("cpu_theft", nodes()),
        FaultKind::MemoryPressure(_) => ("memory_pressure", nodes()),
        FaultKind::FdExhaustion(_) => ("fd_exhaustion", nodes()),
        FaultKind::ClockJump(_) => ("clock_jump", nodes()),
        FaultKind::Partition(_) => ("partition", link()),
        FaultKind::LinkDown(_) => ("link_down", nodes()),
        FaultKind::Latency(_) => ("latency", link()),
        FaultKind::Loss(_) => ("loss", link()),
        FaultKind::BurstLoss(_) => ("burst_loss", link()),
        FaultKind::Duplicate(_) => ("duplicate", link()),
        FaultKind::Reorder(_) => ("reorder", link()),
        FaultKind::Corrupt(_) => ("corrupt", link()),
        FaultKind::Rate(_) => ("rate", link()),
        FaultKind::Reset(_) => ("reset", link()),
        FaultKind::Flap(_) => ("flap", link()),
        FaultKind::Mtu(_) => ("mtu", link()),
        FaultKind::Dns(_) => ("dns", nodes()),
        FaultKind::DiskSlow(_) => ("disk_slow", volumes()),
        FaultKind::DiskFull(_) => ("disk_full", volumes()),
        FaultKind::IoError(_) => ("io_error", volumes()),
        FaultKind::TornWrites(_) => ("torn_writes", volumes()),
        FaultKind::ForgetsFsync(_) => ("forgets_fsync", volumes()),
        FaultKind::TelemetryStale(_) => ("telemetry_stale", asked()),
        FaultKind::TelemetryFrozen(_) => ("telemetry_frozen", asked()),
        FaultKind::TelemetryDelayed(_) => ("telemetry_delayed", asked()),
        FaultKind::TelemetryLie(_) => ("telemetry_lie", asked()),
        FaultKind::TelemetryScale(_) => ("telemetry_scale", asked()),
        FaultKind::TelemetrySlow(_) => ("telemetry_slow", asked()),
        FaultKind::TelemetryLost(_) => ("telemetry_lost", asked()),
        FaultKind::TelemetryFlapping(_) => ("telemetry_flapping", asked()),
        // SNMP shows whole percents of charge, and nothing that creeps faster.
        FaultKind::TelemetryOutOfOrder(_) => {
            let questions = vec![question(Protocol::Nut)];
            let aim = Aim {
                questions,
                ..Aim::default()
            };
            ("telemetry_out_of_order", aim)
        }
    }
}

fn question(via: Protocol) -> Question {
    Question {
        device: "ups-a".into(),
        kind: "ups".into(),
        via,
        shared: false,
    }
}

/// Telemetry faults, of which SNMP sees no creeping.
fn telemetry() -> Vec<FaultKind> {
    let all = || TelemetryTarget::default();
    let time = |by| TelemetryTime {
        devices: Vec::new(),
        via: Vec::new(),
        by,
    };
    vec![
        FaultKind::TelemetryStale(all()),
        FaultKind::TelemetryFrozen(all()),
        FaultKind::TelemetryDelayed(time(Span::from_secs(3))),
        FaultKind::TelemetryLie(TelemetryLie {
            devices: Vec::new(),
            via: Vec::new(),
            variable: "charge".into(),
            value: 0.25.into(),
        }),
        FaultKind::TelemetryScale(TelemetryScale {
            devices: Vec::new(),
            via: Vec::new(),
            variable: "output_v".into(),
            factor: 0.1,
        }),
        FaultKind::TelemetrySlow(time(Span::from_millis(400))),
        FaultKind::TelemetryLost(all()),
        FaultKind::TelemetryFlapping(TelemetryFlapping {
            devices: Vec::new(),
            via: Vec::new(),
            period: Span::from_secs(1),
        }),
        FaultKind::TelemetryOutOfOrder(all()),
    ]
}

/// At least one fault of every kind.
pub(crate) fn all() -> Vec<FaultKind> {
    let level = |to: f64| SupplyLevel {
        utility: None,
        to: PerUnit(to),
    };
    let node = || NodeTarget::Node("gpu-1".into());
    let mut all = devices();
    all.extend(telemetry());
    all.extend(crate::machines::machines());
    all.extend(network::all());
    all.extend(crate::machines::storage());
    all.extend(vec![
        FaultKind::Swell(level(1.2)),
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
        FaultKind::LinkDown(node()),
    ]);
    let here: BTreeSet<String> = all.iter().map(|kind| aim(kind).0.to_string()).collect();
    assert_eq!(
        here,
        catalogue(),
        "a kind of the catalogue has no fault here"
    );
    all
}

/// Faults of single power devices.
fn devices() -> Vec<FaultKind> {
    let ups = || OneUps {
        ups: "ups-a".into(),
    };
    let pickup = |pdu: &str, to| {
        FaultKind::BreakerPickup(BreakerPickup {
            pdu: pdu.into(),
            to: PerUnit(to),
        })
    };
    let supply = |node: &str, supply| {
        FaultKind::PsuFails(OneSupply {
            node: node.into(),
            supply,
        })
    };
    let generator = |how| {
        FaultKind::GeneratorFails(GeneratorFails {
            generator: "gen-1".into(),
            how,
        })
    };
    let node = || "gpu-1".to_string();
    let point = |ms, pu| (Span::from_millis(ms), PerUnit(pu));
    vec![
        FaultKind::Frequency(FrequencyLevel {
            utility: None,
            to: Hertz(48.5),
        }),
        FaultKind::Waveform(Waveform {
            utility: None,
            profile: vec![point(0, 0.4), point(120, 0.7), point(1_000, 0.9)],
        }),
        generator(GeneratorFault::Start),
        generator(GeneratorFault::Trip),
        generator(GeneratorFault::Unstable),
        generator(GeneratorFault::Overheat {
            after: Span::from_secs(5),
        }),
        FaultKind::AtsFails(OneTransfer {
            transfer: "ats-1".into(),
        }),
        FaultKind::UpsFails(ups()),
        FaultKind::UpsBypass(ups()),
        FaultKind::RetransferFails(ups()),
        pickup("pdu-a", 0.3),
        pickup("pdu-b", 0.9),
        FaultKind::OutletOff(OneOutlet {
            pdu: "pdu-a".into(),
            node: node(),
        }),
        supply("gpu-1", 1),
        supply("solo", 0),
        FaultKind::CoolingTrips(OneCooling {
            cooling: "crac-1".into(),
        }),
        FaultKind::PowerCap(PowerCap {
            target: NodeTarget::Node(node()),
            to: Watts(900.0),
        }),
    ]
}

/// What must happen beside a fault for it to show: so long after the injection,
/// this.
pub(crate) fn occasion(kind: &FaultKind) -> Vec<(Duration, PlantAction)> {
    let grid = || "grid".to_string();
    let lost = PlantAction::Supply {
        utility: grid(),
        level: PerUnit(0.0),
    };
    let back = PlantAction::SupplyRestored { utility: grid() };
    match kind {
        FaultKind::RetransferFails(_) => vec![
            (Duration::from_secs(1), lost),
            (Duration::from_secs(2), back),
        ],
        FaultKind::BreakerPickup(it) if it.pdu == "pdu-b" => {
            let work = |node: &str| PlantAction::Draw {
                node: node.into(),
                utilisation: 1.0,
            };
            let second = Duration::from_secs(1);
            vec![(second, work("gpu-1")), (second, work("gpu-2"))]
        }
        FaultKind::TelemetryFrozen(_)
        | FaultKind::TelemetryDelayed(_)
        | FaultKind::TelemetryOutOfOrder(_) => vec![
            (
                Duration::from_secs(1),
                PlantAction::GeneratorFails {
                    generator: "gen-1".into(),
                    how: GeneratorFault::Start,
                },
            ),
            (Duration::from_secs(1), lost),
        ],
        FaultKind::AtsFails(_) | FaultKind::GeneratorFails(_) => {
            vec![(Duration::from_secs(1), lost)]
        }
        FaultKind::SlowBoot(_) => ["gpu-1", "gpu-2"]
            .into_iter()
            .flat_map(|node| {
                let target = || PowerTarget::Node(node.into());
                [
                    (Duration::from_secs(1), PlantAction::Cut(target())),
                    (Duration::from_secs(3), PlantAction::Uncut(target())),
                ]
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Faults that show only when something else happens, which does not for half a
/// second.
pub(crate) fn waiting() -> Vec<FaultKind> {
    let mut all = devices();
    all.retain(|kind| match kind {
        FaultKind::GeneratorFails(it) => it.how != GeneratorFault::Trip,
        FaultKind::AtsFails(_) | FaultKind::RetransferFails(_) => true,
        _ => false,
    });
    all.extend(telemetry().into_iter().filter(|kind| {
        matches!(
            kind,
            FaultKind::TelemetryFrozen(_)
                | FaultKind::TelemetryDelayed(_)
                | FaultKind::TelemetryOutOfOrder(_)
        )
    }));
    all.extend(
        crate::machines::machines()
            .into_iter()
            .filter(|kind| matches!(kind, FaultKind::SlowBoot(_))),
    );
    all.push(FaultKind::BreakerPickup(BreakerPickup {
        pdu: "pdu-a".into(),
        to: PerUnit(3.0),
    }));
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
