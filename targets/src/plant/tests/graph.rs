//! What a site may be, and what is where on it.

use super::support::*;
use crate::plant::{Plant, PowerTarget};

fn problems(yaml: &str, nodes: &[(&str, &str)]) -> Vec<String> {
    let loads: Vec<_> = nodes.iter().map(|(n, r)| load(n, r, 100.0)).collect();
    match Plant::new(&site(yaml), &loads) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let yaml = "
name: broken
utilities:
  grid: {profile: [{at: 2s, voltage: 1pu}, {at: 1s, voltage: 9pu}]}
ups:
  grid: {from: nowhere, rating: 0W, efficiency: 0%, battery: {energy: 0Wh, charge: 120%}}
  ups-a: {from: ups-b, rating: 10kW, battery: {energy: 1kWh, exponent: 0}}
  ups-b: {from: pdu-c, rating: 10kW, battery: {energy: 1kWh, curve: [
    {power: 10kW, runtime: 5m}, {power: 5kW, runtime: 10m}]}}
pdus:
  pdu-a: {from: grid, breaker: {rating: 0A, pickup: 600%}}
  pdu-c: {from: ups-a, breaker: {rating: 10A}}
feeds: {a: ups-x}
racks:
  bare: {cords: []}
  pdu-a: {cords: [pdu-a, pdu-c, pdu-x], psu: {dropout: 130%}}
";
    let found = problems(yaml, &[("n", "bare"), ("n", "nowhere")]);
    insta::assert_snapshot!(found.join("\n"), @r"
    ups.grid: the name is taken: utilities.grid
    racks.pdu-a: the name is taken: pdus.pdu-a
    nodes.n: the name is taken: nodes.n
    ups.grid.from: no component `nowhere`; the site has grid, grid, ups-a, ups-b, pdu-a, pdu-c
    feeds.a: no component `ups-x`; the site has grid, grid, ups-a, ups-b, pdu-a, pdu-c
    ups.ups-a.from: it feeds itself: ups-a from ups-b from pdu-c from ups-a
    ups.ups-b.from: it feeds itself: ups-b from pdu-c from ups-a from ups-b
    pdus.pdu-c.from: it feeds itself: pdu-c from ups-a from ups-b from pdu-c
    utilities.grid.profile.1.voltage: is 9; must be between 0 and 5
    utilities.grid.profile.1.at: must be later than the step before
    ups.grid.rating: must be above 0
    ups.grid.efficiency: is 0; must be between 0.1 and 1
    ups.grid.battery.energy: must be above 0
    ups.grid.battery.charge: is 1.2; must be between 0 and 1
    ups.ups-a.battery.exponent: is 0; must be between 0.5 and 3
    ups.ups-b.battery.curve.1: points must go up in power and down in runtime
    pdus.pdu-a.breaker.rating: must be above 0
    pdus.pdu-a.breaker.instantaneous: must not be below the pickup
    racks.bare.cords: has 0 cords; must have one or two
    racks.pdu-a.cords: has 3 cords; must have one or two
    racks.pdu-a.cords: no pdu `pdu-x`; the site has pdu-a, pdu-c
    racks.pdu-a.psu.dropout: is 1.3; must be between 0 and 1
    nodes.n.rack: no rack `nowhere`; the site has bare, pdu-a
    ");
}

#[test]
fn a_good_site_has_none() {
    assert!(problems(TWO_FEEDS, &[("n1", "dual"), ("n2", "single")]).is_empty());
    // A rack and its only machine may share a name.
    assert!(problems(TWO_FEEDS, &[("dual", "dual")]).is_empty());
}

#[test]
fn who_is_downstream_of_what() {
    let loads = [load("n1", "dual", 100.0), load("n2", "single", 100.0)];
    let plant = plant(TWO_FEEDS, &loads);
    let carried = |target| plant.carries(&target);
    assert_eq!(carried(PowerTarget::Feed("a".to_string())), ["n1", "n2"]);
    assert_eq!(carried(PowerTarget::Feed("b".to_string())), ["n1"]);
    assert_eq!(carried(pdu("pdu-b")), ["n1"]);
    assert_eq!(carried(PowerTarget::Rack("single".to_string())), ["n2"]);
    assert_eq!(carried(PowerTarget::Node("n1".to_string())), ["n1"]);
    assert!(carried(pdu("ups-a")).is_empty());
    assert_eq!(plant.ups_behind("grid-a"), ["ups-a"]);
    assert!(plant.ups_behind("ups-a").is_empty());
    assert_eq!(plant.load_buses("ups-b"), ["pdu-b"]);
    assert!(plant.load_buses("pdu-b").is_empty());
}

#[test]
fn questions_about_what_is_not_there_have_no_answer() {
    let plant = plant(TWO_FEEDS, &[]);
    assert_eq!(plant.voltage_pu("x"), None);
    assert_eq!(plant.charge("pdu-a"), None);
    assert_eq!(plant.ups_reading("grid-a"), None);
    assert_eq!(plant.node_watts("x"), None);
}

#[test]
fn a_chain_may_be_written_in_any_order() {
    let yaml = "
name: chain
utilities: {grid: {}}
ups: {inner: {from: outer-pdu, rating: 10kW, battery: {energy: 1kWh}}}
pdus:
  rack-pdu: {from: row-pdu, breaker: {rating: 63A}}
  row-pdu: {from: inner, breaker: {rating: 63A}}
  outer-pdu: {from: grid, breaker: {rating: 63A}}
racks: {r1: {cords: [rack-pdu]}}
";
    let mut plant = plant(yaml, &[load("n", "r1", 960.0)]);
    assert_eq!(plant.load_buses("inner"), ["row-pdu", "rack-pdu"]);
    near(plant.draw_w("grid").unwrap(), 1_000.0, 0.01);
    supply(&mut plant, "grid", 0.0);
    plant.advance(1_000_000);
    assert_eq!(plant.voltage_pu("rack-pdu"), Some(1.0));
    assert_eq!(plant.draw_w("grid"), Some(0.0));
}

#[test]
fn mistakes_in_every_component_are_told_with_their_path() {
    let yaml = "
name: broken
utilities: {grid: {}}
generators:
  gen-1: {rating: 0W, backs: moon, crank: 20s, attempts: 0, step_dip: 200%}
transfers:
  ats-1: {from: [grid, grid], preferred: 2, window: {low: 0pu}}
  ats-2: {from: [ats-3, grid]}
  ats-3: {from: [grid, ats-2]}
ups:
  ups-a: {from: grid, class: vi, eco: true, bypass_from: grid, strikes: {count: 0}, rating: 1kW,
    battery: {energy: 1kWh, sudden_death_at: 100%}}
bess:
  bess-1: {from: moon, rating: 1kW, energy: 1kWh, lowest: 90%, highest: 20%, overload: 50%, cells: 0}
pdus: {pdu: {from: grid, breaker: {rating: 1A}}}
racks:
  r1: {cords: [pdu], psu: {per_cord: 2, needed: 3, surge: {factor: 0.5, for: 1s}}, bbu: {rating: 0W, charge: 120%}}
cooling:
  crac-1: {from: pdu, racks: [r9], capacity: 0W, swell: 50%, room: {warning: 50C}}
  crac-2: {from: crac-1, racks: [], capacity: 1kW}
";
    let found = problems(yaml, &[]);
    insta::assert_snapshot!(found.join("\n"), @r"
    bess.bess-1.from: no component `moon`; the site has grid, gen-1, ats-1, ats-2, ats-3, ups-a, bess-1, pdu
    cooling.crac-2.from: no component `crac-1`; the site has grid, gen-1, ats-1, ats-2, ats-3, ups-a, bess-1, pdu
    cooling.crac-1.racks: no rack `r9`; the site has r1
    cooling.crac-2.racks: it cools nothing
    generators.gen-1.backs: no utility `moon`; the site has grid
    transfers.ats-2.from.0: it feeds itself: ats-2 from ats-3 from ats-2
    transfers.ats-3.from.1: it feeds itself: ats-3 from ats-2 from ats-3
    generators.gen-1.rating: must be above 0
    generators.gen-1.attempts: is 0; must be between 1 and 100
    generators.gen-1.step_dip: is 2; must be between 0 and 1
    generators.gen-1.crank_limit: must not be below crank
    transfers.ats-1.from: both inputs are the same
    transfers.ats-1.preferred: is 2; must be 0 or 1
    transfers.ats-1.window.low: is 0; must be between 0.1 and 1
    ups.ups-a.bypass_from: is its input; write `bypass: true`
    ups.ups-a.eco: only a double-conversion UPS has it
    ups.ups-a.strikes.count: is 0; must be between 1 and 1000
    ups.ups-a.battery.sudden_death_at: is 1; must be between 0 and 0.999
    bess.bess-1.lowest: must be below highest
    bess.bess-1.overload: is 0.5; must be between 1 and 100
    bess.bess-1.cells: is 0; must be between 1 and 100000
    racks.r1.psu.needed: is 3; the machine has 2
    racks.r1.psu.surge.factor: is 0.5; must be between 1 and 100
    racks.r1.bbu.rating: must be above 0
    racks.r1.bbu.charge: is 1.2; must be between 0 and 1
    cooling.crac-1.capacity: must be above 0
    cooling.crac-1.swell: is 0.5; must be between 1 and 5
    cooling.crac-1.room: supply, warning, throttle and trip must go up in this order
    ");
}
