//! Quantities: read by their own types, so that whatever is let through here is
//! understood there.

use ridethrough_targets::units::{
    Amps, Bandwidth, Bytes, Celsius, Hertz, Joules, PerUnit, Rate, Span, Volts, WattHours, Watts,
};

use super::errors::Problem;
use super::model::{Range, Timeout};
use super::source::Place;
use super::tree::short;

/// How to read a quantity.
pub(crate) type Parse = fn(&str) -> Result<(), String>;

/// How to read a quantity, by the name of its type.
pub(crate) fn quantity(name: &str) -> Option<Parse> {
    fn read<T: std::str::FromStr<Err: ToString>>(text: &str) -> Result<(), String> {
        text.parse::<T>().map(drop).map_err(|e| e.to_string())
    }
    Some(match name {
        "Span" => read::<Span>,
        "Watts" => read::<Watts>,
        "WattHours" => read::<WattHours>,
        "Joules" => read::<Joules>,
        "Volts" => read::<Volts>,
        "Amps" => read::<Amps>,
        "Hertz" => read::<Hertz>,
        "Celsius" => read::<Celsius>,
        "PerUnit" => read::<PerUnit>,
        "Rate" => read::<Rate>,
        "Bandwidth" => read::<Bandwidth>,
        "Bytes" => read::<Bytes>,
        "Range" => read::<Range>,
        "Timeout" => read::<Timeout>,
        _ => return None,
    })
}

/// A text that is no such quantity.
pub(crate) fn misread(place: Place, written: &str, why: &str, expected: &str) -> Problem {
    // The type's own words, where it knows better than "not a duration".
    let special = !why.contains(" is not ");
    let message = if special {
        why.replace('"', "`")
    } else {
        format!("expected {expected}, found `{}`", short(written))
    };
    let units = [" seconds", " sec", "seconds", "secs"];
    let seconds = units.iter().find_map(|u| written.strip_suffix(u));
    // `20 parsecs` are no seconds.
    let seconds = seconds.filter(|n| n.trim().parse::<f64>().is_ok());
    Problem::new(place, message, "not understood")
        .maybe_help(seconds.map(|n| format!("write `{}s`", n.trim())))
}

/// A number with the unit that was most likely meant.
pub(crate) fn unit_hint(name: Option<&str>, n: f64) -> Option<String> {
    Some(match name? {
        "Span" | "Timeout" => format!("{n}s` or `{n}ms"),
        "Watts" => format!("{n}W` or `{n}kW"),
        "WattHours" => format!("{n}Wh` or `{n}kWh"),
        "Joules" => format!("{n}J"),
        "Volts" => format!("{n}V"),
        "Amps" => format!("{n}A"),
        "Hertz" => format!("{n}Hz"),
        "Celsius" => format!("{n}C"),
        "PerUnit" if n > 2.0 => format!("{n}%"),
        "PerUnit" => format!("{n}pu` or `{}%", (n * 1e4).round() / 100.0),
        "Rate" => format!("{n}/s"),
        "Bandwidth" => format!("{n}Mbit/s"),
        "Bytes" => format!("{n}MiB"),
        _ => return None,
    })
}
