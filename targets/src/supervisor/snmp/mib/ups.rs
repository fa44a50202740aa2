//! UPS-MIB, RFC 1628. A UPS shows one line: readings are of one phase.

use super::super::control::Timer;
use super::super::set::Setter;
use super::super::table::Builder;
use super::super::value::Value;
use super::{UPS_MIB, View, amperes, below, nominal_hz, percent};
use crate::telemetry::{ReadingStatus, UpsReading};

/// `upsWellKnownAlarms`.
pub(in super::super) const WELL_KNOWN_ALARMS: [u32; 10] = [1, 3, 6, 1, 2, 1, 33, 1, 6, 3];

pub(super) fn build(builder: &mut Builder, view: &View<'_>, reading: Option<&UpsReading>) {
    builder.under(&below(&UPS_MIB, &[1]));
    identity(builder, view);
    battery(builder, reading);
    input(builder, reading);
    output(builder, reading);
    bypass(builder, reading);
    alarms(builder, view);
    test(builder, view);
    control(builder, view);
    config(builder, view, reading);
}

fn identity(b: &mut Builder, view: &View<'_>) {
    let text = |text: &str| Value::Text(text.into());
    b.scalar(&[1, 1], text(&view.identity.manufacturer));
    b.scalar(&[1, 2], text(&view.identity.model));
    b.scalar(&[1, 3], text(env!("CARGO_PKG_VERSION")));
    b.scalar(&[1, 4], text(env!("CARGO_PKG_VERSION")));
    b.set(&[1, 5], Setter::Name, text(&view.own.name));
    b.set(&[1, 6], Setter::Attached, text(&view.own.attached));
}

fn battery(b: &mut Builder, reading: Option<&UpsReading>) {
    let status = match reading {
        None => 1,
        Some(r) if r.depleted => 4,
        Some(r) if r.low_battery => 3,
        Some(_) => 2,
    };
    b.scalar(&[2, 1], Value::choice(status));
    b.scalar(&[2, 2], reading.map(|r| Value::int(r.on_battery_s.floor())));
    // Never below one minute: `PositiveInteger`.
    let minutes = |r: &UpsReading| Value::int((r.runtime_s / 60.0).floor().max(1.0));
    b.scalar(&[2, 3], reading.map(minutes));
    let charge = |r: &UpsReading| Value::int((r.charge * 100.0).clamp(0.0, 100.0));
    b.scalar(&[2, 4], reading.map(charge));
    // Voltage, current and temperature of the battery are not measured.
    for object in [5, 6, 7] {
        b.scalar(&[2, object], None);
    }
}

fn input(b: &mut Builder, reading: Option<&UpsReading>) {
    b.scalar(&[3, 1], reading.map(|r| Value::Counter(r.line_bads)));
    b.scalar(&[3, 2], Value::Int(1));
    let cell = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::int(of(r)));
    b.cell(&[3, 3, 1, 2], &[1], cell(|r| r.input_hz * 10.0));
    b.cell(&[3, 3, 1, 3], &[1], cell(|r| r.input_v));
    // Current and power of the input are not measured.
    b.cell(&[3, 3, 1, 4], &[1], None);
    b.cell(&[3, 3, 1, 5], &[1], None);
}

fn output(b: &mut Builder, reading: Option<&UpsReading>) {
    let source = match reading.map(|r| r.status) {
        None => 1,
        Some(ReadingStatus::Off) => 2,
        Some(ReadingStatus::OnLine) => 3,
        Some(ReadingStatus::Bypass) => 4,
        Some(ReadingStatus::OnBattery) => 5,
        Some(ReadingStatus::Boost) => 6,
        Some(ReadingStatus::Trim) => 7,
    };
    b.scalar(&[4, 1], Value::choice(source));
    b.scalar(&[4, 2], reading.map(|r| Value::int(r.output_hz * 10.0)));
    b.scalar(&[4, 3], Value::Int(1));
    let cell = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::int(of(r)));
    b.cell(&[4, 4, 1, 2], &[1], cell(|r| r.output_v));
    let tenths = |r: &UpsReading| amperes(r.output_w, r.output_v) * 10.0;
    b.cell(&[4, 4, 1, 3], &[1], cell(tenths));
    b.cell(&[4, 4, 1, 4], &[1], cell(|r| r.output_w));
    let load = |r: &UpsReading| percent(r.output_w, r.rating_w).clamp(0.0, 200.0);
    b.cell(&[4, 4, 1, 5], &[1], cell(load));
}

fn bypass(b: &mut Builder, reading: Option<&UpsReading>) {
    b.scalar(&[5, 1], reading.map(|r| Value::int(r.input_hz * 10.0)));
    b.scalar(&[5, 2], Value::Int(1));
    let cell = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::int(of(r)));
    b.cell(&[5, 3, 1, 2], &[1], cell(|r| r.bypass_v));
    let through = |r: &UpsReading| match r.status {
        ReadingStatus::Bypass => r.output_w,
        _ => 0.0,
    };
    b.cell(
        &[5, 3, 1, 3],
        &[1],
        reading.map(|r| Value::int(amperes(through(r), r.bypass_v) * 10.0)),
    );
    b.cell(&[5, 3, 1, 4], &[1], reading.map(|r| Value::int(through(r))));
}

fn alarms(b: &mut Builder, view: &View<'_>) {
    let count = u32::try_from(view.alarms.len()).unwrap_or(u32::MAX);
    b.scalar(&[6, 1], Value::Gauge(count));
    // `upsAlarmId` is an index, and not accessible.
    b.cell(&[6, 2, 1, 2], &[], None);
    b.cell(&[6, 2, 1, 3], &[], None);
    for alarm in view.alarms {
        let descr = below(&WELL_KNOWN_ALARMS, &[alarm.kind]);
        b.cell(&[6, 2, 1, 2], &[alarm.id], Value::Oid(descr));
        let since = super::super::value::ticks(alarm.since);
        b.cell(&[6, 2, 1, 3], &[alarm.id], Value::Ticks(since));
    }
}

fn test(b: &mut Builder, view: &View<'_>) {
    let test = &view.own.test;
    let id = below(&UPS_MIB, &[1, 7, 7, test.id]);
    b.set(&[7, 1], Setter::TestId, Value::Oid(id));
    b.set(&[7, 2], Setter::SpinLock, Value::Int(view.own.spin_lock));
    b.scalar(&[7, 3], Value::choice(test.summary as u8));
    b.scalar(&[7, 4], Value::Text(test.detail.into()));
    let started = super::super::value::ticks(test.started);
    b.scalar(&[7, 5], Value::Ticks(started));
    b.scalar(&[7, 6], test.elapsed());
}

fn control(b: &mut Builder, view: &View<'_>) {
    let own = view.own;
    let left = |timer: Timer| match own.timers.get(&timer) {
        Some(at) => Value::Until(*at),
        None => Value::Int(-1),
    };
    let kind = Value::choice(own.shutdown_type);
    b.set(&[8, 1], Setter::ShutdownType, kind);
    b.set(&[8, 2], Setter::ShutdownAfter, left(Timer::Shutdown));
    b.set(&[8, 3], Setter::StartupAfter, left(Timer::Startup));
    b.set(&[8, 4], Setter::Reboot, left(Timer::Reboot));
    let restart = Value::choice(own.auto_restart);
    b.set(&[8, 5], Setter::AutoRestart, restart);
}

fn config(b: &mut Builder, view: &View<'_>, reading: Option<&UpsReading>) {
    let of = |of: fn(&UpsReading) -> f64| reading.map(|r| Value::int(of(r)));
    let hz = |r: &UpsReading| nominal_hz([r.output_hz, r.input_hz]) * 10.0;
    b.scalar(&[9, 1], of(|r| r.input_nominal_v));
    b.scalar(&[9, 2], of(hz));
    b.scalar(&[9, 3], of(|r| r.input_nominal_v));
    b.scalar(&[9, 4], of(hz));
    b.scalar(&[9, 5], of(|r| r.rating_w));
    b.scalar(&[9, 6], of(|r| r.rating_w));
    b.scalar(&[9, 7], of(|r| r.runtime_low_s / 60.0));
    let audible = Value::choice(view.own.audible);
    b.set(&[9, 8], Setter::Audible, audible);
    b.scalar(&[9, 9], of(|r| r.input_window_v[0]));
    b.scalar(&[9, 10], of(|r| r.input_window_v[1]));
}
