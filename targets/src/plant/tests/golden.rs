//! Values worked out by hand or published, that the equations must give.

use super::support::*;
use crate::plant::curve::Curve;
use crate::plant::psu::dynamic_share;
use crate::plant::{Change, Plant, Site, UpsState};
use crate::units::WattHours;

fn dies_after_ms(watts: f64) -> f64 {
    let mut plant = plant(BARE, &[load("n", "r1", watts)]);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(2_000_000));
    let off = power_times(&events, "n", false);
    assert_eq!(off.len(), 1);
    (off[0] - 1_000_000) as f64 / 1e3
}

#[test]
fn hold_up_is_an_energy() {
    assert_eq!(dies_after_ms(3_000.0), 20.0);
    assert_eq!(dies_after_ms(1_500.0), 40.0);
    near(dies_after_ms(4_500.0), 13.333, 0.001);
}

#[test]
fn brownout_raises_the_current_by_17_6_percent() {
    let mut plant = plant(BARE, &[load("n", "r1", 2_000.0)]);
    let before = plant.current_a("pdu").unwrap();
    near(before, 2_000.0 / 230.0, 1e-9);
    supply(&mut plant, "grid", 0.85);
    near(plant.current_a("pdu").unwrap() / before, 1.176, 0.001);
}

/// 100 kWh x 0.90 x 0.95 / 1 MW = 307.8 s.
#[test]
fn ideal_runtime() {
    let yaml = "
name: ideal
utilities: {grid: {}}
ups:
  ups-a: {from: grid, rating: 1MW, battery: {energy: 100kWh, charge: 90%, health: 95%, charger: 0pu}}
pdus: {pdu-a: {from: ups-a, breaker: {rating: 10kA}}}
racks: {r1: {cords: [pdu-a], psu: {rating: 1MW, hold_up: 0J}}}
";
    let mut plant = plant(yaml, &[load("n", "r1", 1e6)]);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(400_000_000));
    let off = entered(&events, "ups-a", UpsState::Off);
    assert_eq!(off.len(), 1);
    near(off[0] as f64 / 1e6, 307.8, 2e-6);
    assert_eq!(power_times(&events, "n", false), off);
    assert_eq!(plant.charge("ups-a"), Some(0.0));
    near(
        plant.energy().battery_discharged_wh,
        100e3 * 0.9 * 0.95,
        0.1,
    );
}

fn battery(more: &str) -> crate::plant::Battery {
    serde_yaml::from_str(&format!("{{energy: 10kWh, {more}}}")).unwrap()
}

#[test]
fn runtime_follows_the_power_law() {
    let curve = Curve::new(&battery("runtime: 10m, exponent: 1.2"), 10_000.0);
    near(curve.runtime_s(10_000.0), 600.0, 1e-9);
    near(curve.runtime_s(5_000.0), 600.0 * 2f64.powf(1.2), 1e-9);
    near(curve.runtime_s(20_000.0), 600.0 / 2f64.powf(1.2), 1e-9);
    assert_eq!(curve.runtime_s(0.0), f64::INFINITY);
}

#[test]
fn runtime_without_a_data_sheet_is_energy_over_rating() {
    let curve = Curve::new(&battery(""), 10_000.0);
    near(curve.runtime_s(10_000.0), 3_600.0, 1e-9);
}

#[test]
fn data_sheet_points_are_met_and_joined_by_a_power_law() {
    let points = "curve: [{power: 5kW, runtime: 30m}, {power: 10kW, runtime: 12m}, {power: 20kW, runtime: 4m}]";
    let curve = Curve::new(&battery(points), 10_000.0);
    near(curve.runtime_s(5_000.0), 1_800.0, 1e-6);
    near(curve.runtime_s(10_000.0), 720.0, 1e-6);
    near(curve.runtime_s(20_000.0), 240.0, 1e-6);
    // The middle of a segment in logarithms is the geometric mean.
    near(
        curve.runtime_s(50e6_f64.sqrt()),
        (1_800f64 * 720.0).sqrt(),
        1e-6,
    );
    // Beyond the last point the last segment goes on.
    near(curve.runtime_s(40_000.0), 80.0, 1e-6);
}

#[test]
fn half_the_clocks_leave_0_45_of_the_dynamic_power() {
    near(dynamic_share(0.5), 0.45, 1e-12);
    assert_eq!(dynamic_share(1.0), 1.0);
    assert_eq!(dynamic_share(0.0), 0.0);
}

/// Half the load for half an hour and the full load after it: depletion adds
/// up over powers.
#[test]
fn depletion_is_additive_over_powers() {
    let yaml = one_ups("vfi", "", "energy: 10kWh, exponent: 1.2, charger: 0pu");
    let mut site: Site = site(&yaml);
    site.ups["ups-a"].battery.energy = WattHours(10_000.0);
    let mut nodes = load("n", "r1", 2_500.0);
    nodes.peak = crate::units::Watts(5_000.0);
    let mut plant = Plant::new(&site, &[nodes]).unwrap();
    supply(&mut plant, "grid", 0.0);
    plant.advance(1_800_000_000);
    let quarter = 3_600.0 * 4f64.powf(1.2);
    let half = 3_600.0 * 2f64.powf(1.2);
    near(
        plant.charge("ups-a").unwrap(),
        1.0 - 1_800.0 / quarter,
        1e-9,
    );
    draw(&mut plant, "n", 1.0);
    plant.advance(3_600_000_000);
    let left = 1.0 - 1_800.0 / quarter - 1_800.0 / half;
    near(plant.charge("ups-a").unwrap(), left, 1e-9);
    let shown = plant.ups_reading("ups-a").unwrap().runtime_s;
    near(shown, left * half, 1e-3);
}

#[test]
fn low_battery_comes_when_the_shown_runtime_is_reached() {
    // 10 kW for 600 s; low below 120 s, which is 20 % of the charge.
    let yaml = one_ups("vfi", "", "energy: 10kWh, runtime: 600s, charge_low: 5%");
    let mut plant = plant(&yaml, &[load("n", "r1", 10_000.0)]);
    supply(&mut plant, "grid", 0.0);
    let events = plant.advance(700_000_000);
    let low: Vec<_> = events
        .iter()
        .filter(|e| matches!(e.change, Change::LowBattery { low: true, .. }))
        .collect();
    assert_eq!(low.len(), 1);
    near(low[0].t_us as f64 / 1e6, 480.0, 2e-6);
    let Change::LowBattery {
        charge, runtime_s, ..
    } = low[0].change
    else {
        panic!("not a low battery: {:?}", low[0]);
    };
    near(charge, 0.2, 1e-6);
    near(runtime_s, 120.0, 1e-3);
}
