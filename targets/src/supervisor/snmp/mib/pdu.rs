//! PowerNet-MIB, the group `sPDU` (318.1.1.4): switched outlets.

use super::super::set::Setter;
use super::super::table::Builder;
use super::super::value::Value;
use super::{APC, View, below};
use crate::telemetry::Reading;

pub(super) fn build(b: &mut Builder, view: &View<'_>) {
    let reading = match view.reading {
        Some(Reading::Pdu(reading)) => Some(reading),
        _ => None,
    };
    b.under(&below(&APC, &[1, 1, 4]));
    let text = |text: &str| Value::Text(text.into());
    b.scalar(&[1, 2], text(env!("CARGO_PKG_VERSION")));
    b.scalar(&[1, 4], text(&view.identity.model));
    b.scalar(&[1, 5], text(&view.identity.serial));
    let count = reading.map(|r| Value::int(r.outlets.len() as f64));
    b.scalar(&[4, 1], count);
    for column in [1, 2, 3, 4] {
        b.cell(&[4, 2, 1, column], &[], None);
    }
    let outlets = reading.into_iter().flat_map(|r| &r.outlets).enumerate();
    for ((at, outlet), row) in outlets.zip(1u32..) {
        b.cell(&[4, 2, 1, 1], &[row], Value::Int(i64::from(row)));
        let pending = Value::choice(if outlet.pending.is_some() { 1 } else { 2 });
        b.cell(&[4, 2, 1, 2], &[row], pending);
        let state = Value::choice(if outlet.on { 1 } else { 2 });
        let setter = Setter::Outlet(at);
        b.set_cell(&[4, 2, 1, 3], &[row], setter, Some(state));
        b.cell(&[4, 2, 1, 4], &[row], Value::Text(outlet.node.clone()));
    }
}
