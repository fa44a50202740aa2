//! What must hold whatever is done to a plant.

use proptest::prelude::*;

use super::support::*;
use crate::plant::{NodeLoad, Plant, PlantAction, PlantEvent, PowerTarget};
use crate::units::{PerUnit, Watts};

/// One of everything, with batteries that last seconds to minutes.
const SITE: &str = "
name: everything
utilities:
  grid-a: {profile: [{at: 5s, voltage: 80%}, {at: 9s, voltage: 1pu}, {at: 60s, voltage: 1pu, frequency: 44Hz}, {at: 61s, voltage: 1pu}]}
  grid-b: {}
ups:
  ups-a: {from: grid-a, rating: 10kW, requalify: 2s, walk_in: 3s, battery: {energy: 50Wh, exponent: 1.2, charge: 60%}}
  ups-b: {from: main-b, class: vi, transfer: 6ms, rating: 10kW, requalify: 1s, walk_in: 0s,
    battery: {energy: 200Wh, health: 50%, curve: [{power: 1kW, runtime: 5m}, {power: 8kW, runtime: 20s}]}}
  ups-c: {from: grid-b, class: vfd, rating: 3kW, requalify: 1s, battery: {energy: 20Wh}}
pdus:
  main-b: {from: grid-b, breaker: {rating: 60A, pickup_delay: 2s}}
  pdu-a: {from: ups-a, breaker: {rating: 30A, pickup_delay: 3s}, restore_delay: 700ms}
  pdu-b: {from: ups-b, breaker: {rating: 63A}, restore: last_state}
  pdu-c: {from: ups-c, breaker: {rating: 63A}, restore: always_off}
feeds: {a: ups-a, b: grid-b}
racks:
  dual: {cords: [pdu-a, pdu-b], stagger: 150ms}
  single: {cords: [pdu-a], psu: {hold_up: 30J}}
  standby: {cords: [pdu-c]}
";

fn loads() -> Vec<NodeLoad> {
    [
        ("n1", "dual"),
        ("n2", "dual"),
        ("n3", "single"),
        ("n4", "standby"),
    ]
    .into_iter()
    .map(|(name, rack)| NodeLoad {
        name: name.to_string(),
        rack: rack.to_string(),
        idle: Watts(400.0),
        peak: Watts(4_000.0),
    })
    .collect()
}

fn target() -> impl Strategy<Value = PowerTarget> {
    let name =
        |names: &'static [&'static str]| prop::sample::select(names).prop_map(ToString::to_string);
    prop_oneof![
        name(&["a", "b"]).prop_map(PowerTarget::Feed),
        name(&["pdu-a", "pdu-b", "main-b"]).prop_map(PowerTarget::Pdu),
        name(&["dual", "single"]).prop_map(PowerTarget::Rack),
        name(&["n1", "n3"]).prop_map(PowerTarget::Node),
    ]
}

fn action() -> impl Strategy<Value = PlantAction> {
    let name =
        |names: &'static [&'static str]| prop::sample::select(names).prop_map(ToString::to_string);
    let utility = name(&["grid-a", "grid-b"]);
    let ups = || name(&["ups-a", "ups-b", "ups-c"]);
    let pdu = || name(&["pdu-a", "pdu-b", "pdu-c", "main-b"]);
    let node = || name(&["n1", "n2", "n3", "n4"]);
    let level = prop_oneof![Just(0.0), Just(0.82), Just(1.15), 0.0..1.2];
    prop_oneof![
        3 => (utility.clone(), level).prop_map(|(utility, level)| PlantAction::Supply {
            utility,
            level: PerUnit(level),
        }),
        3 => utility.prop_map(|utility| PlantAction::SupplyRestored { utility }),
        1 => ups().prop_map(|ups| PlantAction::BatteryOpens { ups }),
        1 => ups().prop_map(|ups| PlantAction::BatteryCloses { ups }),
        1 => (ups(), 0.0..1.0).prop_map(|(ups, health)| PlantAction::BatteryHealth {
            ups,
            health: PerUnit(health),
        }),
        1 => pdu().prop_map(|pdu| PlantAction::BreakerOpens { pdu }),
        2 => pdu().prop_map(|pdu| PlantAction::BreakerCloses { pdu }),
        1 => target().prop_map(PlantAction::Cut),
        2 => target().prop_map(PlantAction::Uncut),
        1 => (node(), prop_oneof![Just(1.0), 0.0..1.0])
            .prop_map(|(node, ratio)| PlantAction::Brake { node, ratio }),
        5 => (node(), 0.0..1.0).prop_map(|(node, utilisation)| PlantAction::Draw {
            node,
            utilisation,
        }),
    ]
}

/// Actions, each so many microseconds after the one before: short waits hit
/// transfers and hold-up, long ones batteries and timers.
fn script() -> impl Strategy<Value = Vec<(u64, PlantAction)>> {
    let wait = prop_oneof![Just(0), 0..30_000u64, 0..20_000_000u64];
    prop::collection::vec((wait, action()), 1..40)
}

fn started() -> Plant {
    let mut plant = plant(SITE, &loads());
    plant.start_profiles(1_000_000);
    plant
}

/// The loads that are kept as running sums are the sums.
fn check_sums(plant: &Plant) {
    for (index, bus) in plant.graph.buses.iter().enumerate() {
        let children: i64 = bus
            .children
            .iter()
            .map(|c| plant.graph.buses[*c].draws_from(index))
            .sum();
        let cords = |n: &usize| {
            let node = &plant.graph.nodes[*n];
            let mine = node
                .cords
                .iter()
                .zip(&node.drawn)
                .filter(|(pdu, _)| **pdu == index);
            mine.map(|(_, drawn)| *drawn).sum::<i64>()
        };
        let nodes: i64 = bus.nodes.iter().map(cords).sum();
        let racks = plant.graph.racks.iter();
        let charging = racks.filter_map(|rack| Some((rack, rack.bbu.as_ref()?)));
        let charging = charging.flat_map(|(rack, bbu)| rack.cords.iter().zip(&bbu.drawn));
        let charging = charging.filter(|(pdu, _)| **pdu == index);
        let backup: i64 = charging.map(|(_, drawn)| *drawn).sum();
        assert_eq!(bus.load, children + nodes + backup, "{}", bus.name);
        assert!(
            bus.out.voltage_pu > 0.0 || bus.load == 0,
            "{} is dead and loaded",
            bus.name
        );
    }
}

fn check_state(plant: &Plant) {
    check_sums(plant);
    for ups in ["ups-a", "ups-b", "ups-c"] {
        let charge = plant.charge(ups).unwrap();
        assert!((0.0..=1.0).contains(&charge), "{ups} at {charge}");
        let reading = plant.ups_reading(ups).unwrap();
        assert!((0.0..=1.0).contains(&reading.charge));
        assert!(reading.runtime_s.is_finite() && reading.runtime_s >= 0.0);
    }
    let energy = plant.energy();
    let turnover = energy.drawn_wh + energy.battery_discharged_wh;
    assert!(
        energy.imbalance_wh().abs() <= 1e-3 * turnover + 1e-6,
        "{} Wh missing: {energy:?}",
        energy.imbalance_wh()
    );
    assert!(energy.losses_wh >= -1e-6, "{energy:?}");
}

/// Runs a script, stepping to every event in between.
fn run_in_small_steps(
    script: &[(u64, PlantAction)],
    mut look: impl FnMut(&Plant),
) -> Vec<PlantEvent> {
    let mut plant = started();
    let mut events = Vec::new();
    let mut at = 0;
    for (wait, action) in script {
        at += wait;
        for step in 1..=5 {
            let to = at - wait + wait * step / 5;
            while let Some(next) = plant.next_event_us().filter(|next| *next <= to) {
                events.extend(plant.advance(next));
                look(&plant);
            }
            events.extend(plant.advance(to));
        }
        events.extend(plant.act(action));
        look(&plant);
    }
    events.extend(plant.advance(at + 100_000_000));
    look(&plant);
    events
}

fn run_in_one_step(script: &[(u64, PlantAction)]) -> Vec<PlantEvent> {
    let mut plant = started();
    let mut events = Vec::new();
    let mut at = 0;
    for (wait, action) in script {
        at += wait;
        events.extend(plant.advance(at));
        events.extend(plant.act(action));
    }
    events.extend(plant.advance(at + 100_000_000));
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn accounts_balance_and_charges_stay_in_bounds(script in script()) {
        run_in_small_steps(&script, check_state);
    }

    #[test]
    fn the_size_of_the_steps_does_not_matter(script in script()) {
        let small = run_in_small_steps(&script, |_| ());
        prop_assert_eq!(small, run_in_one_step(&script));
    }

    #[test]
    fn time_goes_forward(script in script()) {
        let events = run_in_one_step(&script);
        prop_assert!(events.windows(2).all(|pair| pair[0].t_us <= pair[1].t_us));
    }

    #[test]
    fn no_machine_lives_without_input_beyond_its_hold_up(script in script()) {
        // The most that two full supplies give an idle machine.
        const LONGEST_US: u64 = 300_000;
        let mut dark_since = [None; 4];
        run_in_small_steps(&script, |plant| {
            for (node, since) in dark_since.iter_mut().enumerate() {
                let live = plant.inputs(node).iter().any(|v| *v >= 0.78);
                *since = if live { None } else { since.or(Some(plant.now_us())) };
                let dark_us = since.map_or(0, |since| plant.now_us() - since);
                let powered = plant.graph.nodes[node].powered;
                assert!(!powered || dark_us <= LONGEST_US, "node {node} after {dark_us} us");
            }
        });
    }

    #[test]
    fn a_run_repeats_itself(script in script()) {
        prop_assert_eq!(run_in_one_step(&script), run_in_one_step(&script));
    }
}
