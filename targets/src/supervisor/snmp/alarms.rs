//! The alarm table of UPS-MIB (RFC 1628, section 2.6): which alarms a reading
//! raises, and how rows come and go.

use super::control::Own;
use super::selftest::Summary;
use crate::telemetry::{ReadingStatus, UpsReading};

pub(super) const BATTERY_BAD: u32 = 1;
pub(super) const ON_BATTERY: u32 = 2;
pub(super) const LOW_BATTERY: u32 = 3;
pub(super) const DEPLETED_BATTERY: u32 = 4;
pub(super) const INPUT_BAD: u32 = 6;
pub(super) const OUTPUT_OVERLOAD: u32 = 8;
pub(super) const ON_BYPASS: u32 = 9;
pub(super) const OFF_AS_REQUESTED: u32 = 11;
pub(super) const OUTPUT_OFF: u32 = 14;
/// The UPS has locked itself out; the MIB has no word of its own for it.
pub(super) const GENERAL_FAULT: u32 = 18;
pub(super) const TEST_FAILED: u32 = 19;
pub(super) const COMMUNICATIONS_LOST: u32 = 20;
pub(super) const AWAITING_POWER: u32 = 21;
pub(super) const SHUTDOWN_PENDING: u32 = 22;
pub(super) const TEST_IN_PROGRESS: u32 = 24;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alarm {
    /// Its number, never used twice.
    pub(super) id: u32,
    /// Which of the well-known alarms it is.
    pub(super) kind: u32,
    /// The agent's uptime when it came, in hundredths of a second.
    pub(super) since: u64,
}

/// The rows that are there.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarms {
    last_id: u32,
    rows: Vec<Alarm>,
}

impl Alarms {
    /// In the order in which they came.
    pub(super) fn rows(&self) -> &[Alarm] {
        &self.rows
    }

    /// Makes the rows those that are wanted; returns what came and what went.
    pub(super) fn sync(&mut self, wanted: &[u32], uptime: u64) -> (Vec<Alarm>, Vec<Alarm>) {
        let (rows, gone) = self
            .rows
            .iter()
            .copied()
            .partition(|row| wanted.contains(&row.kind));
        self.rows = rows;
        let mut came = Vec::new();
        for &kind in wanted {
            if !self.rows.iter().any(|row| row.kind == kind) {
                self.last_id += 1;
                let row = Alarm {
                    id: self.last_id,
                    kind,
                    since: uptime,
                };
                self.rows.push(row);
                came.push(row);
            }
        }
        (came, gone)
    }
}

/// The alarms that a UPS raises. Without a reading its wire is lost, and
/// nothing else is known.
pub(super) fn raised(reading: Option<&UpsReading>, own: &Own) -> Vec<u32> {
    let mut raised = Vec::new();
    let mut raise = |holds: bool, kind: u32| raised.extend(holds.then_some(kind));
    raise(own.shutdown_pending(), SHUTDOWN_PENDING);
    raise(own.test.runs(), TEST_IN_PROGRESS);
    raise(own.test.summary == Summary::Error, TEST_FAILED);
    let Some(ups) = reading else {
        raise(true, COMMUNICATIONS_LOST);
        return raised;
    };
    let off = ups.status == ReadingStatus::Off;
    let [low_v, high_v] = ups.input_window_v;
    let bad = high_v > 0.0 && !(low_v..=high_v).contains(&ups.input_v);
    raise(ups.replace_battery, BATTERY_BAD);
    raise(ups.status == ReadingStatus::OnBattery, ON_BATTERY);
    raise(ups.low_battery, LOW_BATTERY);
    raise(ups.depleted, DEPLETED_BATTERY);
    raise(bad, INPUT_BAD);
    raise(ups.overload, OUTPUT_OVERLOAD);
    raise(ups.status == ReadingStatus::Bypass, ON_BYPASS);
    raise(off && own.off_requested, OFF_AS_REQUESTED);
    raise(off, OUTPUT_OFF);
    raise(ups.locked_out, GENERAL_FAULT);
    raise(off && bad, AWAITING_POWER);
    raised
}
