//! A battery that empties, watched on a clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use ridethrough_targets::telemetry::{Reading, ReadingStatus, UpsReading};

use super::{Readings, Sampler};

/// A UPS that was full at 0 and would be empty after `full_s` at this load.
fn shown(at: Duration, full_s: f64, watts: f64) -> Readings {
    let charge = (1.0 - at.as_secs_f64() / full_s).max(0.0);
    let reading = UpsReading {
        t_us: at.as_micros() as u64,
        status: ReadingStatus::OnBattery,
        input_v: 0.0,
        input_nominal_v: 230.0,
        input_hz: 0.0,
        output_v: 230.0,
        output_w: watts,
        rating_w: 10_000.0,
        charge,
        runtime_s: (charge * full_s).min(86_400.0),
        charging: false,
        low_battery: false,
        replace_battery: false,
        transfer_reason: "none".into(),
        ..UpsReading::default()
    };
    Readings {
        voltage_pu: [("ups-a".to_string(), 1.0)].into(),
        charge: [("ups-a".to_string(), charge)].into(),
        watts: [("gpu-1".to_string(), watts)].into(),
        devices: [("ups-a".to_string(), Reading::Ups(reading))].into(),
    }
}

fn ups(shown: &Readings) -> &UpsReading {
    match &shown.devices["ups-a"] {
        Reading::Ups(reading) => reading,
        other => panic!("{other:?}"),
    }
}

/// Looks and tellings in a time of nothing but discharge; what was told is
/// never wrong by more than a percent of runtime and 0.2 % of charge.
fn discharge(full_s: f64, for_s: f64) -> (u32, u32) {
    let begun = Instant::now();
    let mut sampler = Sampler::new(begun);
    let (mut looks, mut tellings) = (0, 0);
    let mut told = ups(&shown(Duration::ZERO, full_s, 1e3)).clone();
    loop {
        let at = sampler.due();
        let passed = at - begun;
        if passed.as_secs_f64() > for_s {
            return (looks, tellings);
        }
        let readings = shown(passed, full_s, 1e3);
        let now = ups(&readings);
        assert!((told.charge - now.charge).abs() < 0.002, "{passed:?}");
        let off = (told.runtime_s - now.runtime_s).abs();
        assert!(off < 0.01 * told.runtime_s.max(20.0), "{passed:?}: {off}");
        looks += 1;
        if sampler.look(at, &readings) {
            tellings += 1;
            told = now.clone();
        }
    }
}

#[test]
fn a_day_on_battery_is_told_every_ten_seconds() {
    let (looks, tellings) = discharge(86_400.0, 43_200.0);
    assert!(looks < 4_400, "{looks}");
    assert!((4_300..4_400).contains(&tellings), "{tellings}");
}

#[test]
fn a_short_battery_is_looked_at_as_often_as_it_needs() {
    let (looks, tellings) = discharge(240.0, 200.0);
    assert!((1_000..2_001).contains(&looks), "{looks}");
    assert!(tellings > 500, "{tellings}");
}

#[test]
fn nothing_moves_and_little_is_told() {
    let (looks, tellings) = discharge(f64::INFINITY, 3_600.0);
    assert!(looks <= 365 && tellings <= 362, "{looks} {tellings}");
}

#[test]
fn what_is_done_to_the_plant_is_looked_at_soon() {
    let begun = Instant::now();
    let mut sampler = Sampler::new(begun);
    let calm = |at| shown(at, f64::INFINITY, 1e3);
    let ms = Duration::from_millis;
    assert!(sampler.look(begun, &calm(ms(0))));
    assert!(!sampler.look(begun + ms(100), &calm(ms(100))));
    // Nothing to see for long; then a machine works harder, and a fault comes.
    assert_eq!(sampler.due(), begun + ms(10_000));
    sampler.stir(begun + ms(5_000), false);
    assert_eq!(sampler.due(), begun + ms(5_000));
    let harder = |at| shown(at, f64::INFINITY, 1.2e3);
    assert!(sampler.look(begun + ms(5_000), &harder(ms(5_000))));
    sampler.stir(begun + ms(5_010), true);
    assert_eq!(sampler.due(), begun + ms(5_100), "not more often than that");
    assert!(sampler.look(begun + ms(5_100), &harder(ms(5_100))));
    sampler.stir(begun + ms(5_150), false);
    let hardly = shown(ms(5_200), f64::INFINITY, 1.205e3);
    assert!(
        !sampler.look(begun + ms(5_200), &hardly),
        "below what is seen"
    );
}
