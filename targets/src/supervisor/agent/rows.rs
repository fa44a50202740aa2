//! From readings to the variables that NUT names for them.

use crate::supervisor::mapping::{CardView, tenths, variables, whole};
use crate::telemetry::{
    GeneratorReading, GeneratorStatus, PduReading, Reading, TransferReading, UpsReading,
};

/// Every variable that a reading fills.
pub(super) fn rows(reading: &Reading, battery_nominal_v: f64) -> Vec<(String, String)> {
    let named = |rows: Vec<(&'static str, String)>| {
        let own = |(name, value): (&str, String)| (name.to_string(), value);
        rows.into_iter().map(own).collect()
    };
    match reading {
        Reading::Ups(ups) => ups_rows(ups, battery_nominal_v),
        Reading::Transfer(transfer) => transfer_rows(transfer),
        Reading::Pdu(pdu) => pdu_rows(pdu),
        Reading::Generator(generator) => named(generator_rows(generator)),
        _ => Vec::new(),
    }
}

fn ups_rows(ups: &UpsReading, battery_nominal_v: f64) -> Vec<(String, String)> {
    let view = CardView {
        low_battery: ups.low_battery,
        battery_nominal_v,
        nominal_hz: ups.output_hz,
    };
    let mut rows: Vec<(String, String)> = variables(ups, &view)
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect();
    let [low, high] = ups.input_window_v;
    if high > 0.0 {
        rows.push(("input.transfer.low".into(), whole(low)));
        rows.push(("input.transfer.high".into(), whole(high)));
    }
    if ups.bypass_v > 0.0 {
        rows.push(("input.bypass.voltage".into(), tenths(ups.bypass_v)));
    }
    rows
}

fn transfer_rows(transfer: &TransferReading) -> Vec<(String, String)> {
    let mut rows = vec![
        (
            "input.source.preferred".to_string(),
            (transfer.preferred + 1).to_string(),
        ),
        ("output.voltage".to_string(), tenths(transfer.output_v)),
        ("ups.realpower".to_string(), whole(transfer.output_w)),
        ("ups.status".to_string(), status(transfer.output_v > 0.0)),
        (
            "input.transfer.delay".to_string(),
            whole(transfer.transfer_delay_s),
        ),
    ];
    let active = transfer.active.map_or(0, |active| active + 1);
    rows.push(("input.source".to_string(), active.to_string()));
    for (index, source) in transfer.sources.iter().enumerate() {
        let number = index + 1;
        rows.push((format!("input.{number}.voltage"), tenths(source.v)));
        rows.push((format!("input.{number}.frequency"), tenths(source.hz)));
    }
    rows
}

fn pdu_rows(pdu: &PduReading) -> Vec<(String, String)> {
    let mut rows = vec![
        ("input.voltage".to_string(), tenths(pdu.v)),
        ("input.frequency".to_string(), tenths(pdu.hz)),
        ("input.current".to_string(), tenths(pdu.a)),
        ("input.realpower".to_string(), whole(pdu.w)),
        ("outlet.count".to_string(), pdu.outlets.len().to_string()),
        ("ups.status".to_string(), status(pdu.v > 0.0)),
    ];
    for (index, outlet) in pdu.outlets.iter().enumerate() {
        let number = index + 1;
        let on = if outlet.on { "on" } else { "off" };
        rows.push((format!("outlet.{number}.desc"), outlet.node.clone()));
        rows.push((format!("outlet.{number}.status"), on.to_string()));
        rows.push((format!("outlet.{number}.realpower"), whole(outlet.w)));
        rows.push((format!("outlet.{number}.current"), tenths(outlet.a)));
    }
    rows
}

fn generator_rows(generator: &GeneratorReading) -> Vec<(&'static str, String)> {
    let runs = matches!(
        generator.status,
        GeneratorStatus::Ready | GeneratorStatus::Loaded | GeneratorStatus::Cooldown
    );
    let mut rows = vec![
        ("output.voltage", tenths(generator.v)),
        ("output.frequency", tenths(generator.hz)),
        ("ups.realpower", whole(generator.w)),
        ("ups.realpower.nominal", whole(generator.rating_w)),
        ("ups.status", status(runs)),
    ];
    if generator.status == GeneratorStatus::Fault {
        rows.push(("ups.alarm", generator.fault.clone()));
    }
    rows
}

fn status(on: bool) -> String {
    if on { "OL" } else { "OFF" }.to_string()
}
