//! PowerNet-MIB, the group `ups` (318.1.1.1): the subset that is known for
//! certain and that a reading can fill.

use super::super::set::Setter;
use super::super::table::Builder;
use super::super::value::Value;
use super::{APC, View, amperes, below, percent};
use crate::telemetry::{ReadingStatus, UpsReading};

pub(super) fn build(builder: &mut Builder, view: &View<'_>, reading: Option<&UpsReading>) {
    builder.under(&below(&APC, &[1, 1, 1]));
    let text = |text: &str| Value::Text(text.into());
    builder.scalar(&[1, 1, 1], text(&view.identity.model));
    builder.set(&[1, 1, 2], Setter::Name, text(&view.own.name));
    builder.scalar(&[1, 2, 1], text(env!("CARGO_PKG_VERSION")));
    builder.scalar(&[1, 2, 3], text(&view.identity.serial));
    battery(builder, reading);
    input(builder, reading);
    output(builder, reading);
    config(builder, view, reading);
    control(builder);
}

fn battery(b: &mut Builder, reading: Option<&UpsReading>) {
    let status = match reading {
        None => 1,
        Some(r) if r.low_battery || r.depleted => 3,
        Some(_) => 2,
    };
    b.scalar(&[2, 1, 1], Value::choice(status));
    b.scalar(&[2, 1, 2], reading.map(|r| Value::seconds(r.on_battery_s)));
    let charge = |r: &UpsReading, full: f64| Value::gauge((r.charge * full).clamp(0.0, full));
    b.scalar(&[2, 2, 1], reading.map(|r| charge(r, 100.0)));
    b.scalar(&[2, 3, 1], reading.map(|r| charge(r, 1_000.0)));
    b.scalar(&[2, 2, 3], reading.map(|r| Value::seconds(r.runtime_s)));
    let replace = |r: &UpsReading| Value::choice(1 + u8::from(r.replace_battery));
    b.scalar(&[2, 2, 4], reading.map(replace));
}

fn input(b: &mut Builder, reading: Option<&UpsReading>) {
    let gauge = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::gauge(of(r)));
    b.scalar(&[3, 2, 1], gauge(|r| r.input_v));
    b.scalar(&[3, 3, 1], gauge(|r| r.input_v * 10.0));
    b.scalar(&[3, 2, 4], gauge(|r| r.input_hz));
    b.scalar(&[3, 3, 4], gauge(|r| r.input_hz * 10.0));
    b.scalar(&[3, 2, 5], reading.map(|r| Value::choice(cause(r))));
}

/// `upsAdvInputLineFailCause`: why the UPS last left the mains. While it is
/// away from them the voltage tells; afterwards the device's own words do.
fn cause(reading: &UpsReading) -> u8 {
    let [low_v, high_v] = reading.input_window_v;
    let away = reading.status == ReadingStatus::OnBattery;
    match reading.transfer_reason.as_str() {
        _ if away && reading.input_v > high_v && high_v > 0.0 => 2,
        _ if away && reading.input_v < 0.1 * reading.input_nominal_v => 4,
        _ if away && reading.input_v < low_v => 3,
        "" => 1,
        reason if reason.contains("high") => 2,
        _ => 4,
    }
}

fn output(b: &mut Builder, reading: Option<&UpsReading>) {
    let status = match reading.map(|r| r.status) {
        None => 1,
        Some(ReadingStatus::OnLine) => 2,
        Some(ReadingStatus::OnBattery) => 3,
        Some(ReadingStatus::Boost) => 4,
        Some(ReadingStatus::Off) => 7,
        Some(ReadingStatus::Bypass) => 9,
        Some(ReadingStatus::Trim) => 12,
    };
    b.scalar(&[4, 1, 1], Value::choice(status));
    let gauge = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::gauge(of(r)));
    let measures: [fn(&UpsReading) -> f64; 4] = [
        |r| r.output_v,
        |r| r.output_hz,
        |r| percent(r.output_w, r.rating_w),
        |r| amperes(r.output_w, r.output_v),
    ];
    for (object, measure) in (1..).zip(measures) {
        b.scalar(&[4, 2, object], gauge(measure));
        let tenths = reading.map(|r| Value::gauge(measure(r) * 10.0));
        b.scalar(&[4, 3, object], tenths);
    }
    // Active and apparent power: loads have a power factor of one here.
    b.scalar(&[4, 2, 8], reading.map(|r| Value::int(r.output_w)));
    b.scalar(&[4, 2, 9], reading.map(|r| Value::int(r.output_w)));
}

fn config(b: &mut Builder, view: &View<'_>, reading: Option<&UpsReading>) {
    let of = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::int(of(r)));
    b.scalar(&[5, 2, 2], of(|r| r.input_window_v[1]));
    b.scalar(&[5, 2, 3], of(|r| r.input_window_v[0]));
    b.scalar(&[5, 2, 8], reading.map(|r| Value::seconds(r.runtime_low_s)));
    let delay = Value::seconds(f64::from(view.own.shutdown_delay_s));
    b.set(&[5, 2, 10], Setter::ShutdownDelay, delay);
}

/// A control reads as 1, "no".
fn control(b: &mut Builder) {
    b.set(&[6, 1, 1], Setter::Conserve, Value::Int(1));
    b.set(&[6, 2, 1], Setter::Off, Value::Int(1));
    b.set(&[6, 2, 6], Setter::On, Value::Int(1));
    b.set(&[6, 2, 7], Setter::Bypass, Value::Int(1));
}
