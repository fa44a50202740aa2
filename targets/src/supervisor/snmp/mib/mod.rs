//! The objects of each kind of device, made of a reading.

mod ats;
mod pdu;
mod powernet;
mod system;
pub(super) mod ups;

use super::alarms::Alarm;
use super::control::Own;
use super::table::{Builder, Table};
use crate::telemetry::{Identity, Reading};

/// `upsMIB`, RFC 1628.
pub(super) const UPS_MIB: [u32; 7] = [1, 3, 6, 1, 2, 1, 33];
/// PowerNet-MIB, the enterprise `apc`.
pub(super) const APC: [u32; 7] = [1, 3, 6, 1, 4, 1, 318];

/// What is known of a device now.
pub(super) struct View<'a> {
    pub(super) identity: &'a Identity,
    /// Nothing where the agent has lost its device.
    pub(super) reading: Option<&'a Reading>,
    pub(super) own: &'a Own,
    pub(super) alarms: &'a [Alarm],
}

/// Every object of a device.
pub(super) fn table(view: &View<'_>) -> Table {
    let mut builder = Builder::default();
    system::build(&mut builder, view);
    match view.identity.kind.as_str() {
        "ups" => {
            let reading = match view.reading {
                Some(Reading::Ups(reading)) => Some(reading),
                _ => None,
            };
            ups::build(&mut builder, view, reading);
            powernet::build(&mut builder, view, reading);
        }
        "transfer" => ats::build(&mut builder, view),
        "pdu" => pdu::build(&mut builder, view),
        _ => {}
    }
    Table::new(builder)
}

/// A name below another.
pub(super) fn below(base: &[u32], tail: &[u32]) -> Vec<u32> {
    [base, tail].concat()
}

/// Current of a power at a voltage; nothing flows where there is no voltage.
fn amperes(w: f64, v: f64) -> f64 {
    if v > 1.0 { w / v } else { 0.0 }
}

/// Hertz that a device was built for, told by those that it makes.
fn nominal_hz(hz: [f64; 2]) -> f64 {
    let shown = hz.into_iter().find(|hz| *hz > 1.0).unwrap_or(50.0);
    if shown > 55.0 { 60.0 } else { 50.0 }
}

/// Load in percent of a rating.
fn percent(w: f64, rating_w: f64) -> f64 {
    if rating_w > 0.0 {
        100.0 * w / rating_w
    } else {
        0.0
    }
}
