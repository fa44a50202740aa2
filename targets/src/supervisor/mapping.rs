//! From what a UPS measures to the variables that NUT names for it.

use crate::telemetry::{ReadingStatus, UpsReading};

/// Cells of 2 V at rest: empty and full (valve-regulated lead-acid, typical).
const CELL_EMPTY_V: f64 = 1.75;
const CELL_FULL_V: f64 = 2.13;
const CELL_NOMINAL_V: f64 = 2.0;

/// What the card itself knows beside the reading.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CardView {
    /// The battery is low, by the device or by the card's own thresholds.
    pub(super) low_battery: bool,
    /// Nominal voltage of the battery string.
    pub(super) battery_nominal_v: f64,
    /// Frequency that the inverter makes.
    pub(super) nominal_hz: f64,
}

/// The tokens of `ups.status`.
pub(super) fn status(reading: &UpsReading, low_battery: bool) -> String {
    let mut tokens = match reading.status {
        ReadingStatus::OnLine => vec!["OL"],
        ReadingStatus::Boost => vec!["OL", "BOOST"],
        ReadingStatus::Trim => vec!["OL", "TRIM"],
        ReadingStatus::OnBattery => vec!["OB", "DISCHRG"],
        ReadingStatus::Bypass => vec!["OL", "BYPASS"],
        ReadingStatus::Off => vec!["OFF"],
    };
    for (holds, token) in [
        (reading.status.on_mains() && reading.charging, "CHRG"),
        (low_battery && reading.status != ReadingStatus::Off, "LB"),
        (reading.replace_battery, "RB"),
        (reading.output_w > reading.rating_w, "OVER"),
    ] {
        if holds {
            tokens.push(token);
        }
    }
    tokens.join(" ")
}

/// All measured variables. One that is missing does not apply now.
pub(super) fn variables(reading: &UpsReading, card: &CardView) -> Vec<(&'static str, String)> {
    let on_battery = reading.status == ReadingStatus::OnBattery;
    let charger = match (on_battery, reading.charging, reading.charge >= 0.999) {
        (true, _, _) => "discharging",
        (false, true, _) => "charging",
        (false, false, true) => "floating",
        (false, false, false) => "resting",
    };
    let cell_v = CELL_EMPTY_V + (CELL_FULL_V - CELL_EMPTY_V) * share(reading.charge);
    let output_hz = match reading.status {
        ReadingStatus::OnBattery => card.nominal_hz,
        ReadingStatus::Off => 0.0,
        _ => reading.input_hz,
    };
    let mut rows = vec![
        ("battery.charge", whole(reading.charge * 100.0)),
        ("battery.charger.status", charger.into()),
        ("battery.runtime", whole(reading.runtime_s)),
        // No meter of the battery is read: the card tells the voltage at rest
        // that belongs to the charge.
        (
            "battery.voltage",
            tenths(card.battery_nominal_v / CELL_NOMINAL_V * cell_v),
        ),
        ("battery.voltage.nominal", tenths(card.battery_nominal_v)),
        ("input.frequency", tenths(reading.input_hz)),
        ("input.transfer.reason", reading.transfer_reason.clone()),
        ("input.voltage", tenths(reading.input_v)),
        ("input.voltage.nominal", tenths(reading.input_nominal_v)),
        ("output.frequency", tenths(output_hz)),
        ("output.voltage", tenths(reading.output_v)),
        ("ups.load", tenths(load_percent(reading))),
        ("ups.realpower", whole(reading.output_w)),
        ("ups.realpower.nominal", whole(reading.rating_w)),
        ("ups.status", status(reading, card.low_battery)),
    ];
    if let Some(alarm) = alarm(reading) {
        rows.push(("ups.alarm", alarm));
    }
    rows
}

fn alarm(reading: &UpsReading) -> Option<String> {
    let mut texts = Vec::new();
    if reading.status == ReadingStatus::Bypass {
        texts.push("On bypass, load is not protected");
    }
    if reading.output_w > reading.rating_w {
        texts.push("Output overload");
    }
    if reading.replace_battery {
        texts.push("Replace battery");
    }
    if reading.locked_out {
        texts.push("Retransfer inhibited, manual reset needed");
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn load_percent(reading: &UpsReading) -> f64 {
    if reading.rating_w > 0.0 {
        reading.output_w / reading.rating_w * 100.0
    } else {
        0.0
    }
}

fn share(value: f64) -> f64 {
    finite(value).clamp(0.0, 1.0)
}

/// NUT's numbers are plain decimals: no exponent, no `NaN`, no `inf`.
fn finite(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-1e12, 1e12)
    }
}

pub(super) fn whole(value: f64) -> String {
    // Adding zero turns -0 into 0.
    format!("{:.0}", finite(value).round() + 0.0)
}

pub(super) fn tenths(value: f64) -> String {
    format!("{:.1}", (finite(value) * 10.0).round() / 10.0 + 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn reading(status: ReadingStatus) -> UpsReading {
        UpsReading {
            t_us: 0,
            status,
            input_v: 230.04,
            input_nominal_v: 230.0,
            input_hz: 50.0,
            output_v: 230.0,
            output_w: 3200.0,
            rating_w: 10_000.0,
            charge: 1.0,
            runtime_s: 600.4,
            charging: false,
            low_battery: false,
            replace_battery: false,
            transfer_reason: "none".into(),
            ..UpsReading::default()
        }
    }

    #[test]
    fn status_tokens() {
        let on = |status, change: fn(&mut UpsReading)| {
            let mut reading = reading(status);
            change(&mut reading);
            super::status(&reading, reading.low_battery)
        };
        assert_eq!(on(ReadingStatus::OnLine, |_| {}), "OL");
        assert_eq!(on(ReadingStatus::OnLine, |r| r.charging = true), "OL CHRG");
        assert_eq!(
            on(ReadingStatus::OnBattery, |r| r.low_battery = true),
            "OB DISCHRG LB"
        );
        assert_eq!(
            on(ReadingStatus::OnLine, |r| r.replace_battery = true),
            "OL RB"
        );
        assert_eq!(on(ReadingStatus::Bypass, |_| {}), "OL BYPASS");
        assert_eq!(on(ReadingStatus::Off, |r| r.low_battery = true), "OFF");
        assert_eq!(on(ReadingStatus::OnLine, |r| r.output_w = 2e4), "OL OVER");
    }

    #[test]
    fn variables_of_a_calm_ups() {
        let card = CardView {
            low_battery: false,
            battery_nominal_v: 192.0,
            nominal_hz: 50.0,
        };
        let rows = variables(&reading(ReadingStatus::OnLine), &card);
        let text: Vec<String> = rows.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        battery.charge: 100
        battery.charger.status: floating
        battery.runtime: 600
        battery.voltage: 204.5
        battery.voltage.nominal: 192.0
        input.frequency: 50.0
        input.transfer.reason: none
        input.voltage: 230.0
        input.voltage.nominal: 230.0
        output.frequency: 50.0
        output.voltage: 230.0
        ups.load: 32.0
        ups.realpower: 3200
        ups.realpower.nominal: 10000
        ups.status: OL
        ");
    }

    proptest! {
        #[test]
        fn numbers_are_plain_decimals(value in any::<f64>()) {
            for text in [whole(value), tenths(value)] {
                prop_assert!(text.parse::<f64>().is_ok(), "{text}");
                prop_assert!(text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-'), "{text}");
                prop_assert_ne!(text, "-0");
            }
        }
    }
}
