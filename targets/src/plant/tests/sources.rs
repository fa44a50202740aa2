//! Generators and transfer switches.

use super::support::*;
use crate::plant::{
    Change, GeneratorFault, GeneratorState, Plant, PlantAction, PlantEvent, TransferState,
};
use crate::telemetry::{CommandError, DeviceCommand, Reading};
use crate::units::Span;

/// A grid and a generator behind a transfer switch.
fn backed(generator: &str, transfer: &str) -> String {
    format!(
        "
name: backed
utilities: {{grid: {{}}}}
generators: {{gen-1: {{rating: 10kW, {generator}}}}}
transfers: {{ats-1: {{from: [grid, gen-1], {transfer}}}}}
pdus: {{pdu: {{from: ats-1, breaker: {{rating: 100A}}}}}}
feeds: {{a: grid, b: gen-1, all: ats-1}}
racks: {{r1: {{cords: [pdu], psu: {{rating: 20kW, hold_up: 0J, dropout: 50%}}}}}}
"
    )
}

fn generator_times(events: &[PlantEvent], state: GeneratorState) -> Vec<u64> {
    let it = |e: &&PlantEvent| matches!(e.change, Change::Generator { to, .. } if to == state);
    events.iter().filter(it).map(|e| e.t_us).collect()
}

fn transfer_steps(events: &[PlantEvent]) -> Vec<(u64, TransferState)> {
    let step = |e: &PlantEvent| match e.change {
        Change::Transfer { to, .. } => Some((e.t_us, to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

fn after(plant: &mut Plant, mut events: Vec<PlantEvent>, to_s: u64) -> Vec<PlantEvent> {
    events.extend(plant.advance(to_s * 1_000_000));
    events
}

#[test]
fn a_generator_is_there_in_ten_seconds_and_goes_when_it_is_not_needed() {
    let mut plant = plant(&backed("", ""), &[load("n", "r1", 6_000.0)]);
    let events = supply(&mut plant, "grid", 0.0);
    let events = after(&mut plant, events, 20);
    assert_eq!(
        generator_times(&events, GeneratorState::Cranking),
        [3_000_000]
    );
    assert_eq!(
        generator_times(&events, GeneratorState::Ready),
        [10_000_000]
    );
    assert_eq!(
        transfer_steps(&events),
        [
            (10_000_000, TransferState::Open),
            (10_100_000, TransferState::OnB)
        ]
    );
    assert_eq!(power_times(&events, "n", true), [10_100_000]);
    assert_eq!(plant.draw_w("gen-1"), Some(6_000.0));
    let events = restore(&mut plant, "grid");
    let events = after(&mut plant, events, 400);
    assert_eq!(
        transfer_steps(&events),
        [
            (50_000_000, TransferState::Open),
            (50_100_000, TransferState::OnA)
        ]
    );
    assert_eq!(
        generator_times(&events, GeneratorState::Cooldown),
        [50_000_000]
    );
    assert_eq!(generator_times(&events, GeneratorState::Off), [350_000_000]);
    assert!(plant.energy().imbalance_wh().abs() < 1e-6);
}

/// A block of 0.6 pu dips the voltage by 0.15 pu, which decays with a time
/// constant of 2 s.
#[test]
fn a_block_of_load_dips_the_voltage() {
    let mut plant = plant(&backed("", ""), &[load("n", "r1", 6_000.0)]);
    supply(&mut plant, "grid", 0.0);
    plant.advance(10_110_000);
    near(plant.voltage_pu("gen-1").unwrap(), 0.85, 1e-9);
    plant.advance(12_110_000);
    near(
        plant.voltage_pu("pdu").unwrap(),
        1.0 - 0.15 * (-1f64).exp(),
        1e-9,
    );
    plant.advance(20_000_000);
    assert_eq!(plant.voltage_pu("gen-1"), Some(1.0));
}

#[test]
fn a_generator_that_does_not_start_tries_three_times() {
    let mut plant = plant(&backed("fails_to_start: true", ""), &[]);
    let events = supply(&mut plant, "grid", 0.0);
    let events = after(&mut plant, events, 200);
    let cranks = generator_times(&events, GeneratorState::Cranking);
    assert_eq!(cranks, [3_000_000, 33_000_000, 63_000_000]);
    assert_eq!(
        generator_times(&events, GeneratorState::Fault),
        [78_000_000]
    );
    let refused = plant.command("gen-1", &DeviceCommand::Start);
    assert_eq!(
        refused,
        Err(CommandError::Refused("gen-1: does not start".to_string()))
    );
    let events = plant.act(&PlantAction::GeneratorRestored {
        generator: "gen-1".to_string(),
    });
    let events = after(&mut plant, events, 300);
    assert_eq!(
        generator_times(&events, GeneratorState::Ready),
        [210_000_000]
    );
}

#[test]
fn overload_heat_fuel_and_a_trip_stop_it() {
    for (site, watts, at, why) in [
        ("", 12_000.0, 20_100_000, "overload"),
        ("trip_after: 9m", 6_000.0, 550_100_000, "overheated"),
        // Half load burns 0.625 of the full rate; it idles for 100 ms.
        ("fuel: 1m", 5_000.0, 106_060_000, "out of fuel"),
    ] {
        let mut plant = plant(&backed(site, ""), &[load("n", "r1", watts)]);
        let events = supply(&mut plant, "grid", 0.0);
        let events = after(&mut plant, events, 3_600);
        assert_eq!(
            generator_times(&events, GeneratorState::Fault),
            [at],
            "{why}"
        );
        assert_eq!(power_times(&events, "n", false), [0, at], "{why}");
        let found = events.iter().find(|e| {
            matches!(
                e.change,
                Change::Generator {
                    to: GeneratorState::Fault,
                    ..
                }
            )
        });
        assert_eq!(found.unwrap().cause, why);
    }
    let mut plant = plant(&backed("", ""), &[load("n", "r1", 5_000.0)]);
    let events = supply(&mut plant, "grid", 0.0);
    after(&mut plant, events, 30);
    let events = plant.act(&PlantAction::GeneratorFails {
        generator: "gen-1".to_string(),
        how: GeneratorFault::Trip,
    });
    assert_eq!(power_times(&events, "n", false), [30_000_000]);
}

#[test]
fn a_fault_may_make_it_overheat_until_it_is_repaired() {
    let mut plant = plant(&backed("", ""), &[load("n", "r1", 5_000.0)]);
    let generator = || "gen-1".to_string();
    let after_10s = GeneratorFault::Overheat {
        after: Span::from_secs(10),
    };
    plant.act(&PlantAction::GeneratorFails {
        generator: generator(),
        how: after_10s,
    });
    assert_eq!(plant.defects("gen-1"), Some(vec!["overheats".to_string()]));
    let events = supply(&mut plant, "grid", 0.0);
    let events = after(&mut plant, events, 60);
    assert_eq!(
        generator_times(&events, GeneratorState::Fault),
        [20_100_000]
    );
    plant.act(&PlantAction::GeneratorRestored {
        generator: generator(),
    });
    let events = plant.advance(300_000_000);
    assert!(generator_times(&events, GeneratorState::Fault).is_empty());
}

#[test]
fn nobody_accepts_an_unstable_generator() {
    let mut plant = plant(&backed("unstable: true", ""), &[load("n", "r1", 5_000.0)]);
    let events = supply(&mut plant, "grid", 0.0);
    let events = after(&mut plant, events, 100);
    assert!(transfer_steps(&events).is_empty());
    near(plant.voltage_pu("gen-1").unwrap(), 0.84, 1e-9);
}

#[test]
fn a_generator_obeys() {
    let mut plant = plant(&backed("", ""), &[]);
    plant.command("gen-1", &DeviceCommand::Start).unwrap();
    plant.advance(30_000_000);
    assert_eq!(plant.voltage_pu("gen-1"), Some(1.0));
    plant.command("gen-1", &DeviceCommand::Stop).unwrap();
    let events = plant.advance(400_000_000);
    assert_eq!(generator_times(&events, GeneratorState::Off), [330_000_000]);
}

const TWO_GRIDS: &str = "
name: two grids
utilities: {grid-a: {}, grid-b: {}}
transfers: {sts-1: {from: [grid-a, grid-b], kind: sts, retransfer_delay: 5s}}
pdus: {pdu: {from: sts-1, breaker: {rating: 100A}}}
feeds: {a: grid-a, b: grid-b, all: sts-1}
racks: {r1: {cords: [pdu]}}
";

#[test]
fn a_static_switch_is_faster_than_a_power_supply() {
    let mut plant = plant(TWO_GRIDS, &[load("n", "r1", 3_000.0)]);
    // 10.5 % below nominal is the edge.
    assert!(transfer_steps(&supply(&mut plant, "grid-a", 0.9)).is_empty());
    let events = supply(&mut plant, "grid-a", 0.89);
    let events = after(&mut plant, events, 1);
    assert_eq!(
        bus_steps(&events, "pdu"),
        [(0, 0.0, String::new()), (4_000, 1.0, "grid-b".to_string())]
    );
    assert!(power_times(&events, "n", false).is_empty());
    let events = restore(&mut plant, "grid-a");
    let events = after(&mut plant, events, 10);
    assert_eq!(
        transfer_steps(&events),
        [
            (6_000_000, TransferState::Open),
            (6_004_000, TransferState::OnA)
        ]
    );
}

#[test]
fn frequency_moves_a_switch_too() {
    let mut plant = plant(TWO_GRIDS, &[]);
    let frequency = |hz| PlantAction::Frequency {
        utility: "grid-a".to_string(),
        frequency: crate::units::Hertz(hz),
    };
    assert!(transfer_steps(&plant.act(&frequency(51.4))).is_empty());
    assert!(!transfer_steps(&plant.act(&frequency(49.4))).is_empty());
}

#[test]
fn a_cut_of_one_input_drops_only_what_hangs_on_it() {
    let feed = |name: &str| crate::plant::PowerTarget::Feed(name.to_string());
    let mut plant = plant(TWO_GRIDS, &[load("n", "r1", 3_000.0)]);
    assert!(plant.carries(&feed("a")).is_empty());
    assert_eq!(plant.carries(&feed("all")), ["n"]);
    let events = plant.act(&PlantAction::Cut(feed("a")));
    let events = after(&mut plant, events, 1);
    assert!(power_times(&events, "n", false).is_empty());
    assert_eq!(plant.draw_w("grid-b"), Some(3_000.0));
    let events = plant.act(&PlantAction::Cut(feed("all")));
    let events = after(&mut plant, events, 2);
    assert_eq!(power_times(&events, "n", false).len(), 1);
}

#[test]
fn a_switch_obeys_and_can_be_stuck() {
    let mut plant = plant(TWO_GRIDS, &[load("n", "r1", 3_000.0)]);
    let select = |source| DeviceCommand::Select { source };
    let inhibit = |on| DeviceCommand::Inhibit { on };
    plant.command("sts-1", &select(1)).unwrap();
    plant.advance(60_000_000);
    let Some((_, Reading::Transfer(shown))) = plant.readings().into_iter().nth(2) else {
        panic!("no reading of a switch");
    };
    assert_eq!(
        (shown.active, shown.preferred, shown.fast),
        (Some(1), 0, true)
    );
    assert_eq!(shown.sources[1].name, "grid-b");
    assert!(matches!(
        plant.command("sts-1", &select(2)),
        Err(CommandError::OutOfRange(_))
    ));
    supply(&mut plant, "grid-a", 0.0);
    assert!(matches!(
        plant.command("sts-1", &select(0)),
        Err(CommandError::Refused(_))
    ));
    restore(&mut plant, "grid-a");
    plant.command("sts-1", &inhibit(true)).unwrap();
    assert!(plant.command("sts-1", &select(0)).is_err());
    let events = supply(&mut plant, "grid-b", 0.0);
    assert!(transfer_steps(&events).is_empty());
    plant.act(&PlantAction::TransferStuck {
        transfer: "sts-1".to_string(),
    });
    let events = plant.command("sts-1", &inhibit(false)).unwrap();
    assert!(transfer_steps(&events).is_empty());
    let events = plant.act(&PlantAction::TransferFreed {
        transfer: "sts-1".to_string(),
    });
    assert_eq!(transfer_steps(&events).len(), 1);
}

#[test]
fn a_recording_is_played() {
    let mut plant = plant(BARE, &[]);
    let points = [(0, 0.7), (200, 0.4), (500, 1.0)];
    let points = points.map(|(ms, pu)| {
        let at = crate::units::Span::from_millis(ms);
        (at, crate::units::PerUnit(pu))
    });
    plant.advance(1_000_000);
    let events = plant.act(&PlantAction::Waveform {
        utility: "grid".to_string(),
        points: points.to_vec(),
    });
    let events = after(&mut plant, events, 10);
    let steps = bus_steps(&events, "pdu");
    let steps: Vec<_> = steps.iter().map(|(at, pu, _)| (*at, *pu)).collect();
    assert_eq!(
        steps,
        [(1_000_000, 0.7), (1_200_000, 0.4), (1_500_000, 1.0)]
    );
}
