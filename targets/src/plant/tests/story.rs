//! Whole stories, as they read in a record.

use super::support::*;
use crate::plant::PlantEvent;

fn told(events: &[PlantEvent]) -> String {
    let line = |e: &PlantEvent| {
        let time = e.t_us as f64 / 1e3;
        let change = serde_json::to_string(&e.change).unwrap_or_default();
        format!("{time:>9.1} ms  {}: {}: {change}", e.component, e.cause)
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_line_interactive_ups_whose_battery_runs_out() {
    let battery = "energy: 10kWh, runtime: 60s, exponent: 1, runtime_low: 20s";
    let yaml = one_ups("vi", "requalify: 2s, walk_in: 1s,", battery);
    let mut plant = plant(&yaml, &[load("n", "r1", 10_000.0)]);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(70_000_000));
    events.extend(restore(&mut plant, "grid"));
    events.extend(plant.advance(80_000_000));
    insta::assert_snapshot!(told(&events), @r#"
        0.0 ms  grid: held from outside: {"kind":"supply","voltage_pu":0.0,"frequency_hz":0.0}
        0.0 ms  ups-a: follows grid: {"kind":"bus","voltage_pu":0.0,"source":""}
        0.0 ms  pdu-a: follows ups-a: {"kind":"bus","voltage_pu":0.0,"source":""}
        0.0 ms  n: no input above dropout: {"kind":"hold_up","active":true,"left":"40ms"}
       10.0 ms  ups-a: input lost: {"kind":"ups","from":"normal","to":"transferring"}
       20.0 ms  ups-a: transferred: {"kind":"ups","from":"transferring","to":"on_battery"}
       20.0 ms  ups-a: transferred: {"kind":"bus","voltage_pu":1.0,"source":"ups-a.battery"}
       20.0 ms  pdu-a: follows ups-a: {"kind":"bus","voltage_pu":1.0,"source":"ups-a.battery"}
       20.0 ms  n: input back: {"kind":"hold_up","active":false,"left":"20ms"}
       20.0 ms  ups-a: load on battery: {"kind":"battery","from":"idle","to":"discharging","charge":1.0}
    40000.0 ms  ups-a: charge or runtime low: {"kind":"low_battery","low":true,"charge":0.33333333333333326,"runtime_s":19.999999999999996}
    60000.0 ms  ups-a: battery empty: {"kind":"ups","from":"on_battery","to":"off"}
    60000.0 ms  ups-a: battery empty: {"kind":"bus","voltage_pu":0.0,"source":""}
    60000.0 ms  pdu-a: follows ups-a: {"kind":"bus","voltage_pu":0.0,"source":""}
    60000.0 ms  n: no input above dropout: {"kind":"hold_up","active":true,"left":"40ms"}
    60000.0 ms  ups-a: nothing left: {"kind":"battery","from":"discharging","to":"empty","charge":0.0}
    60040.0 ms  n: hold-up exhausted: {"kind":"node_power","on":false}
    70000.0 ms  grid: restored: {"kind":"supply","voltage_pu":1.0,"frequency_hz":50.0}
    72000.0 ms  ups-a: input requalified: {"kind":"ups","from":"off","to":"normal"}
    72000.0 ms  ups-a: input requalified: {"kind":"bus","voltage_pu":1.0,"source":"grid"}
    72000.0 ms  pdu-a: follows ups-a: {"kind":"bus","voltage_pu":1.0,"source":"grid"}
    72000.0 ms  n: input good: {"kind":"node_power","on":true}
    72000.0 ms  ups-a: charger on: {"kind":"battery","from":"empty","to":"charging","charge":0.0}
    72000.0 ms  ups-a: load on mains: {"kind":"low_battery","low":false,"charge":0.0,"runtime_s":0.0}
    "#);
}

#[test]
fn a_double_conversion_ups_there_and_back() {
    let yaml = one_ups(
        "vfi",
        "requalify: 2s, walk_in: 1s,",
        "energy: 10kWh, exponent: 1",
    );
    let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid", 0.7);
    events.extend(plant.advance(6_000_000));
    events.extend(restore(&mut plant, "grid"));
    events.extend(plant.advance(20_000_000));
    insta::assert_snapshot!(told(&events), @r#"
    1000.0 ms  grid: held from outside: {"kind":"supply","voltage_pu":0.7,"frequency_hz":50.0}
    1000.0 ms  ups-a: load on battery: {"kind":"battery","from":"idle","to":"discharging","charge":1.0}
    1010.0 ms  ups-a: input voltage low: {"kind":"ups","from":"normal","to":"on_battery"}
    1010.0 ms  ups-a: input voltage low: {"kind":"bus","voltage_pu":1.0,"source":"ups-a.battery"}
    1010.0 ms  pdu-a: follows ups-a: {"kind":"bus","voltage_pu":1.0,"source":"ups-a.battery"}
    6000.0 ms  grid: restored: {"kind":"supply","voltage_pu":1.0,"frequency_hz":50.0}
    6000.0 ms  ups-a: input good: {"kind":"ups","from":"on_battery","to":"qualifying"}
    8000.0 ms  ups-a: input requalified: {"kind":"ups","from":"qualifying","to":"walk_in"}
    9000.0 ms  ups-a: load on mains: {"kind":"ups","from":"walk_in","to":"normal"}
    9000.0 ms  ups-a: load on mains: {"kind":"bus","voltage_pu":1.0,"source":"grid"}
    9000.0 ms  pdu-a: follows ups-a: {"kind":"bus","voltage_pu":1.0,"source":"grid"}
    9000.0 ms  ups-a: charger on: {"kind":"battery","from":"discharging","to":"charging","charge":0.9989583333333334}
    "#);
}
