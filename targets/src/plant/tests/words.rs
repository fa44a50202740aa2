//! What a record keeps of the plant must be readable again.

use crate::plant::{
    BbuState, BessState, Change, CoolingState, GeneratorFault, GeneratorState, HeatLevel,
    PlantAction, PlantEvent, TransferState, UpsState,
};
use crate::units::{Hertz, PerUnit, Span};

fn event(change: Change) -> PlantEvent {
    PlantEvent {
        t_us: 7,
        component: "it".to_string(),
        cause: "test".to_string(),
        change,
    }
}

#[test]
fn events_come_back_as_they_were() {
    let all = [
        Change::Ups {
            from: UpsState::Eco,
            to: UpsState::Bypass,
        },
        Change::Generator {
            from: GeneratorState::Off,
            to: GeneratorState::Sensing,
        },
        Change::Transfer {
            from: TransferState::OnA,
            to: TransferState::Open,
        },
        Change::Inhibit { on: true },
        Change::Lockout { on: true },
        Change::Outlet {
            outlet: 3,
            on: false,
        },
        Change::Supplies {
            supply: 1,
            healthy: false,
        },
        Change::Limit { watts: Some(500.0) },
        Change::Limit { watts: None },
        Change::Bbu {
            from: BbuState::Standby,
            to: BbuState::Discharging,
            charge: 1.0,
        },
        Change::Bess {
            from: BessState::Following,
            to: BessState::Starting,
            charge: 0.5,
        },
        Change::GridBreaker { closed: false },
        Change::Heartbeat { heard: false },
        Change::Cooling {
            from: CoolingState::Running,
            to: CoolingState::Tripped,
        },
        Change::Temperature {
            from: HeatLevel::Normal,
            to: HeatLevel::Warning,
            celsius: 32.0,
        },
    ];
    for change in all {
        let event = event(change);
        let text = serde_json::to_string(&event).unwrap();
        let back: PlantEvent = serde_json::from_str(&text).unwrap();
        assert_eq!(back, event, "{text}");
    }
    let text = serde_json::to_string(&event(Change::GridBreaker { closed: false })).unwrap();
    assert_eq!(
        text,
        r#"{"t_us":7,"component":"it","cause":"test","kind":"grid_breaker","closed":false}"#
    );
}

#[test]
fn actions_come_back_as_they_were() {
    let all = [
        PlantAction::Frequency {
            utility: "grid".to_string(),
            frequency: Hertz(47.0),
        },
        PlantAction::Waveform {
            utility: "grid".to_string(),
            points: vec![(Span::from_millis(20), PerUnit(0.4))],
        },
        PlantAction::GeneratorFails {
            generator: "gen-1".to_string(),
            how: GeneratorFault::Unstable,
        },
        PlantAction::BreakerPickup {
            pdu: "pdu".to_string(),
            pickup: None,
        },
    ];
    for action in all {
        let text = serde_json::to_string(&action).unwrap();
        let back: PlantAction = serde_json::from_str(&text).unwrap();
        assert_eq!(back, action, "{text}");
    }
}
