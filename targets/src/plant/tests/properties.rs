//! What must hold whatever is done to a plant.

use proptest::prelude::*;

use super::support::*;
use crate::plant::{GeneratorFault, NodeLoad, Plant, PlantAction, PlantEvent, PowerTarget};
use crate::telemetry::DeviceCommand;
use crate::units::{Hertz, PerUnit, Span, Watts};

/// One of everything, with batteries that last seconds to minutes.
const SITE: &str = "
name: everything
utilities:
  grid-a: {profile: [{at: 5s, voltage: 80%}, {at: 9s, voltage: 1pu}, {at: 60s, voltage: 1pu, frequency: 44Hz}, {at: 61s, voltage: 1pu}]}
  grid-b: {}
generators:
  gen-1: {rating: 12kW, sense: 1s, crank: 2s, crank_limit: 3s, rest: 2s, cooldown: 5s, fuel: 30s, trip_after: 40s}
transfers:
  ats-1: {from: [grid-b, gen-1], retransfer_delay: 3s}
  sts-1: {from: [ups-a, grid-b], kind: sts, retransfer_delay: 1s}
ups:
  ups-a: {from: grid-a, rating: 10kW, requalify: 2s, walk_in: 3s, bypass_from: grid-b, strikes: {count: 4},
    battery: {energy: 50Wh, exponent: 1.2, charge: 60%}}
  ups-b: {from: main-b, class: vi, transfer: 6ms, rating: 10kW, requalify: 1s, walk_in: 0s, bypass: true,
    battery: {energy: 200Wh, health: 50%, curve: [{power: 1kW, runtime: 5m}, {power: 8kW, runtime: 20s}]}}
  ups-c: {from: grid-b, class: vfd, rating: 3kW, requalify: 1s, battery: {energy: 20Wh}}
  ups-d: {from: bess-1, eco: true, rating: 6kW, requalify: 1s, walk_in: 1s, battery: {energy: 20Wh, sudden_death_at: 30%}}
bess:
  bess-1: {from: ats-1, rating: 8kW, energy: 100Wh, charge: 50%, resync: 1s, heartbeat: 4s}
  bess-2: {from: grid-a, inline: true, rating: 5kW, energy: 60Wh, lowest: 0pu, highest: 100%, resync: 1s, drop: 15%}
pdus:
  main-b: {from: ats-1, breaker: {rating: 60A, pickup_delay: 2s}}
  pdu-a: {from: sts-1, breaker: {rating: 30A, pickup_delay: 3s}, restore_delay: 700ms}
  pdu-b: {from: ups-b, breaker: {rating: 63A}, restore: last_state, outlet_on_delay: 200ms}
  pdu-c: {from: ups-c, breaker: {rating: 63A}, restore: always_off}
  pdu-d: {from: ups-d, breaker: {rating: 63A}}
  pdu-e: {from: bess-2, breaker: {rating: 63A}}
feeds: {a: ups-a, b: grid-b}
racks:
  dual: {cords: [pdu-a, pdu-b], stagger: 150ms}
  single: {cords: [pdu-a], psu: {hold_up: 30J}}
  standby: {cords: [pdu-c]}
  shelf: {cords: [pdu-d, pdu-e], psu: {per_cord: 2, needed: 2, surge: {factor: 1.4, for: 3s}}, bbu: {rating: 4kW, runtime: 20s, charge: 70%}}
  hot: {cords: [pdu-e], bbu: {rating: 3kW, runtime: 2s, charger: 50%}}
cooling:
  crac-1: {from: main-b, racks: [dual, hot], capacity: 4kW, restart: 4s, room: {time_to_trip: 10s}}
  crac-2: {from: grid-a, racks: [hot], capacity: 4kW, auto_restart: false}
";

const UPS: [&str; 4] = ["ups-a", "ups-b", "ups-c", "ups-d"];
const NODES: [&str; 6] = ["n1", "n2", "n3", "n4", "n5", "n6"];
const DEVICES: [&str; 22] = [
    "grid-a",
    "gen-1",
    "ats-1",
    "sts-1",
    "ups-a",
    "ups-b",
    "ups-d",
    "bess-1",
    "bess-1",
    "bess-1",
    "bess-2",
    "pdu-a",
    "pdu-b",
    "pdu-c",
    "pdu-d",
    "crac-1",
    "crac-2",
    "shelf.shelf",
    "n1",
    "n5",
    "n6",
    "nothing",
];

fn loads() -> Vec<NodeLoad> {
    NODES
        .into_iter()
        .zip(["dual", "dual", "single", "standby", "shelf", "hot"])
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

fn name(names: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(names).prop_map(ToString::to_string)
}

fn basic_action() -> impl Strategy<Value = PlantAction> {
    let utility = name(&["grid-a", "grid-b"]);
    let ups = || name(&UPS);
    let pdu = || name(&["pdu-a", "pdu-b", "pdu-c", "main-b"]);
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
        1 => (name(&NODES), prop_oneof![Just(1.0), 0.0..1.0])
            .prop_map(|(node, ratio)| PlantAction::Brake { node, ratio }),
        5 => (name(&NODES), 0.0..1.0).prop_map(|(node, utilisation)| PlantAction::Draw {
            node,
            utilisation,
        }),
    ]
}

fn fails(generator: &str, how: GeneratorFault) -> PlantAction {
    let generator = generator.to_string();
    PlantAction::GeneratorFails { generator, how }
}

fn fault() -> impl Strategy<Value = PlantAction> {
    let generator = "gen-1".to_string();
    let after = Span::from_secs(2);
    let how = prop::sample::select(vec![
        GeneratorFault::Start,
        GeneratorFault::Trip,
        GeneratorFault::Unstable,
        GeneratorFault::Overheat { after },
    ]);
    let transfer = || name(&["ats-1", "sts-1"]);
    let utility = || name(&["grid-a", "grid-b"]);
    let points = prop::collection::vec((0..3_000u64, 0.0..1.3), 0..5).prop_map(|points| {
        let point = |(ms, pu)| (Span::from_millis(ms), PerUnit(pu));
        points.into_iter().map(point).collect()
    });
    let limit = prop::option::of((0.0..5_000.0).prop_map(Watts));
    let cooling = || name(&["crac-1", "crac-2"]);
    prop_oneof![
        how.prop_map(move |how| fails("gen-1", how)),
        Just(PlantAction::GeneratorRestored { generator }),
        transfer().prop_map(|transfer| PlantAction::TransferStuck { transfer }),
        transfer().prop_map(|transfer| PlantAction::TransferFreed { transfer }),
        (name(&UPS), 0..6u8).prop_map(|(ups, which)| match which {
            0 => PlantAction::UpsFails { ups },
            1 => PlantAction::UpsRestored { ups },
            2 => PlantAction::BypassForced { ups },
            3 => PlantAction::BypassReleased { ups },
            4 => PlantAction::RetransferFails { ups },
            _ => PlantAction::RetransferRestored { ups },
        }),
        (utility(), 40.0..60.0).prop_map(|(utility, hz)| PlantAction::Frequency {
            utility,
            frequency: Hertz(hz),
        }),
        utility().prop_map(|utility| PlantAction::FrequencyRestored { utility }),
        (utility(), points).prop_map(|(utility, points)| PlantAction::Waveform { utility, points }),
        (name(&["pdu-a", "pdu-d"]), 0..4usize, prop::bool::ANY).prop_map(|(pdu, outlet, on)| {
            match on {
                true => PlantAction::OutletOn { pdu, outlet },
                false => PlantAction::OutletOff { pdu, outlet },
            }
        }),
        (name(&NODES), 0..5usize, prop::bool::ANY).prop_map(|(node, supply, healthy)| {
            match healthy {
                true => PlantAction::PsuRestored { node, supply },
                false => PlantAction::PsuFails { node, supply },
            }
        }),
        (name(&["pdu-a", "main-b"]), prop::option::of(0.1..2.0)).prop_map(|(pdu, pickup)| {
            PlantAction::BreakerPickup {
                pdu,
                pickup: pickup.map(PerUnit),
            }
        }),
        (name(&NODES), limit).prop_map(|(node, limit)| PlantAction::PowerCap { node, limit }),
        cooling().prop_map(|cooling| PlantAction::CoolingTrips { cooling }),
        cooling().prop_map(|cooling| PlantAction::CoolingRestored { cooling }),
    ]
}

fn command() -> impl Strategy<Value = DeviceCommand> {
    use DeviceCommand as C;
    let watts = || prop::option::of(-9_000.0..9_000.0);
    prop_oneof![
        (0..12u8, prop::bool::ANY).prop_map(|(which, on)| match which {
            0 => C::Output { on },
            1 => C::Bypass { on },
            2 => C::Inhibit { on },
            3 => C::Retransfer { on },
            4 => C::Connect { on },
            5 => C::Run { on },
            6 | 7 => C::Island { on },
            8 | 9 => C::Form { on },
            10 => C::Breaker { on },
            _ => C::Machine { on },
        }),
        (0..8u8, 0..3usize).prop_map(|(which, index)| match which {
            0 => C::Reset,
            1 => C::Start,
            2 => C::Stop,
            3 => C::Heartbeat,
            4 => C::Restart,
            5 => C::Select { source: index },
            6 => C::Prefer { source: index },
            _ => C::Outlet {
                index,
                on: index == 1
            },
        }),
        watts().prop_map(|watts| C::Power { watts }),
        watts().prop_map(|watts| C::Limit { watts }),
    ]
}

/// Something that is done to a plant.
#[derive(Clone, Debug)]
enum Deed {
    Act(PlantAction),
    Order(String, DeviceCommand),
}

impl Deed {
    fn on(&self, plant: &mut Plant) -> Vec<PlantEvent> {
        match self {
            Self::Act(action) => plant.act(action),
            Self::Order(device, command) => plant.command(device, command).unwrap_or_default(),
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => basic_action().prop_map(Deed::Act),
        1 => fault().prop_map(Deed::Act),
        2 => (name(&DEVICES), command()).prop_map(|(device, command)| Deed::Order(device, command)),
    ]
}

/// Deeds, each so many microseconds after the one before: short waits hit
/// transfers and hold-up, long ones batteries and timers.
fn script() -> impl Strategy<Value = Vec<(u64, Deed)>> {
    let wait = prop_oneof![Just(0), 0..30_000u64, 0..20_000_000u64];
    prop::collection::vec((wait, deed()), 1..50)
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
    for ups in UPS {
        let charge = plant.charge(ups).unwrap();
        assert!((0.0..=1.0).contains(&charge), "{ups} at {charge}");
        let reading = plant.ups_reading(ups).unwrap();
        assert!((0.0..=1.0).contains(&reading.charge));
        assert!(reading.runtime_s.is_finite() && reading.runtime_s >= 0.0);
    }
    for bess in ["bess-1", "bess-2"] {
        let charge = plant.charge(bess).unwrap();
        assert!((0.0..=1.0).contains(&charge), "{bess} at {charge}");
    }
    assert_eq!(plant.readings().len(), plant.identities().len());
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
fn run_in_small_steps(script: &[(u64, Deed)], mut look: impl FnMut(&Plant)) -> Vec<PlantEvent> {
    let mut plant = started();
    let mut events = Vec::new();
    let mut at = 0;
    for (wait, deed) in script {
        at += wait;
        for step in 1..=5 {
            let to = at - wait + wait * step / 5;
            while let Some(next) = plant.next_event_us().filter(|next| *next <= to) {
                events.extend(plant.advance(next));
                look(&plant);
            }
            events.extend(plant.advance(to));
        }
        events.extend(deed.on(&mut plant));
        look(&plant);
    }
    events.extend(plant.advance(at + 100_000_000));
    look(&plant);
    events
}

fn run_in_one_step(script: &[(u64, Deed)]) -> Vec<PlantEvent> {
    let mut plant = started();
    let mut events = Vec::new();
    let mut at = 0;
    for (wait, deed) in script {
        at += wait;
        events.extend(plant.advance(at));
        events.extend(deed.on(&mut plant));
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
