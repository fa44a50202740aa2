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
