//! An emulated site in virtual time.

use std::time::Duration;

use tokio::time::sleep;

use super::*;
use crate::clock::Clock;
use crate::plant::{Change, PlantAction, Site};
use crate::telemetry::{
    Answer, CommandError, DeviceCommand, Protocol, Reading, ReadingStatus, UpsReading,
};
use crate::units::PerUnit;

const SITE: &str = "
name: small
utilities: {grid: {}}
ups: {ups-a: {from: grid, rating: 10kW, battery: {energy: 1kWh, runtime: 4m}}}
pdus: {pdu-a: {from: ups-a, breaker: {rating: 63A}}}
racks: {r1: {cords: [pdu-a]}}
";

fn start() -> (Emulator, tokio::sync::mpsc::UnboundedReceiver<Story>) {
    let site: Site = serde_yaml::from_str(SITE).unwrap();
    let loads = stand_ins(&site);
    assert_eq!(loads[0].name, "r1-1");
    Emulator::start(&site, &loads, Clock::start()).unwrap()
}

fn ups(emulator: &Emulator) -> UpsReading {
    match emulator.board().peek(Protocol::Nut, "ups-a") {
        Some(Answer::Reading(reading)) => match &*reading {
            Reading::Ups(ups) => ups.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_shows_on_the_board_and_the_battery_falls() {
    let (emulator, mut story) = start();
    assert_eq!(ups(&emulator).status, ReadingStatus::OnLine);
    let outage = PlantAction::Supply {
        utility: "grid".into(),
        level: PerUnit(0.0),
    };
    let events = emulator.act(outage).await;
    assert_eq!(events[0].component, "grid");
    sleep(Duration::from_secs(60)).await;
    let reading = ups(&emulator);
    assert_eq!(reading.status, ReadingStatus::OnBattery);
    assert!(reading.charge < 0.99 && reading.charge > 0.9, "{reading:?}");
    let restored = PlantAction::SupplyRestored {
        utility: "grid".into(),
    };
    emulator.act(restored).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(ups(&emulator).status, ReadingStatus::OnLine);
    let mut moved = Vec::new();
    while let Ok(word) = story.try_recv() {
        if let Story::Event(event) = word
            && matches!(event.change, Change::Ups { .. })
        {
            moved.push(event);
        }
    }
    assert!(moved.len() >= 3, "{moved:?}");
}

#[tokio::test(start_paused = true)]
async fn orders_are_carried_out_and_told() {
    let (emulator, mut story) = start();
    let off = DeviceCommand::Output { on: false };
    emulator
        .board()
        .command("ups-a", off.clone())
        .await
        .unwrap();
    assert_eq!(ups(&emulator).status, ReadingStatus::Off);
    let told = story.try_recv().unwrap();
    assert!(matches!(told, Story::Order { command, .. } if command == off));
    let wrong = emulator.board().command("grid", DeviceCommand::Start).await;
    assert_eq!(wrong, Err(CommandError::Unsupported("grid".into())));
}
