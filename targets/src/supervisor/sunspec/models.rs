//! The SunSpec models of a storage system (SunSpec DER Information Model 1.0;
//! models 1, 701 to 704, 713, 715, 802 and 803).

use super::block::Block;
use crate::telemetry::{BessMode, BessReading, BessStatus, Identity};

/// The register at which the map begins.
pub(super) const BASE: u16 = 40_000;
/// Strings of model 803.
const STRINGS: usize = 4;

/// Registers that a client has written and that no physics answers for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Held {
    /// 704 `WSet` in watts and whether it is in force.
    pub(super) set_w: f64,
    pub(super) set_on: bool,
    /// 704 `WSetRvrtTms`: seconds after which the set-point lapses.
    pub(super) revert_s: u32,
    /// 704 `AntiIslEna`: 0 lets the inverter form an island.
    pub(super) anti_islanding: bool,
    /// 703 `ES`: it may be connected to the grid.
    pub(super) enter_service: bool,
    /// 715 `ControllerHb` and 802 `CtrlHb`.
    pub(super) controller: u32,
    /// 802 `SetOp` and `SetInvState`, 715 `OpCtl`.
    pub(super) operation: [u16; 3],
}

impl Held {
    pub(super) fn new() -> Self {
        Self {
            anti_islanding: true,
            enter_service: true,
            operation: [1, 3, 1],
            ..Self::default()
        }
    }
}

/// What else the map shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beat {
    /// Seconds since the start: the device's heartbeat.
    pub(super) seconds: u32,
    /// Seconds until the set-point lapses.
    pub(super) revert_left_s: u32,
}

/// The steps of watts and watt hours, so that 16 bits hold them.
struct Steps {
    watts: (f64, i16),
    watt_hours: (f64, i16),
}

impl Steps {
    fn of(reading: &BessReading) -> Self {
        let step = |largest: f64| match largest {
            n if n <= 30_000.0 => (1.0, 0),
            n if n <= 300_000.0 => (10.0, 1),
            n if n <= 3e6 => (100.0, 2),
            n if n <= 3e7 => (1_000.0, 3),
            _ => (10_000.0, 4),
        };
        Self {
            watts: step(reading.rating_w * 1.5),
            watt_hours: step(reading.energy_wh),
        }
    }
}

/// What one unit of a written power means.
pub(super) fn watts_step(reading: &BessReading) -> f64 {
    Steps::of(reading).watts.0
}

/// The whole map, from `SunS` to the end marker.
pub(super) fn map(plate: &Identity, reading: &BessReading, held: &Held, beat: Beat) -> Vec<u16> {
    let steps = Steps::of(reading);
    let mut words = vec![0x5375, 0x6e53];
    for block in [
        common(plate),
        measure(reading, &steps),
        capacity(reading, &steps),
        enter_service(held),
        control(reading, held, beat, &steps),
        storage(reading, &steps),
        der_control(reading, held, beat),
        battery(reading, held, beat, &steps),
        bank(reading),
    ] {
        words.extend(block.words());
    }
    words.extend([0xffff, 0]);
    words
}

/// Model 1.
fn common(plate: &Identity) -> Block {
    Block::new(1, 66, &[])
        .text(2, 16, &plate.manufacturer)
        .text(18, 16, &plate.model)
        .text(34, 8, "")
        .text(42, 8, env!("CARGO_PKG_VERSION"))
        .text(50, 16, &plate.serial)
        .put(66, 1)
        .put(67, 0x8000)
}

/// Model 701: what it measures at its bus. Positive is discharge.
fn measure(r: &BessReading, steps: &Steps) -> Block {
    let (inverter, connected) = match r.status {
        BessStatus::Disconnected => (0, 0),
        BessStatus::Initializing => (2, 0),
        BessStatus::Standby => (7, 1),
        BessStatus::Connected => (3, 1),
        BessStatus::Fault => (6, 0),
    };
    let running = r.status == BessStatus::Connected;
    let mode = match (running, r.mode) {
        (false, _) => 0,
        (true, BessMode::Following) => 1,
        (true, BessMode::Forming) => 2,
    };
    let mut alarms = 0u32;
    for (bit, holds) in [
        (4, r.islanded),
        (7, r.temperature_c > 55.0),
        (11, r.v < 0.88 * r.nominal_v && r.v > 0.0),
        (2, r.v <= 0.0),
    ] {
        alarms |= u32::from(holds) << bit;
    }
    let signed = [(10, 15), (35, 46), (64, 69), (87, 92), (113, 123)];
    let amps = if r.v > 1.0 { r.w / r.v } else { 0.0 };
    Block::new(701, 153, &signed)
        .put(2, 0)
        .put(3, u16::from(running))
        .put(4, inverter)
        .put(5, connected)
        .long(6, alarms)
        .long(8, mode)
        .signed(10, r.w, steps.watts.0)
        .signed(11, r.w.abs(), steps.watts.0)
        .signed(12, 0.0, 1.0)
        .signed(14, amps, 1.0)
        .unsigned(16, r.v, 0.1)
        .long(17, (r.hz * 100.0).round().max(0.0) as u32)
        .longer(19, r.through_wh[0].max(0.0) as u64)
        .longer(23, r.through_wh[1].max(0.0) as u64)
        .signed(36, r.temperature_c, 0.1)
        .scale(113, 0)
        .scale(114, -1)
        .scale(115, -2)
        .scale(116, steps.watts.1)
        .scale(117, -2)
        .scale(118, steps.watts.1)
        .scale(119, 0)
        .scale(120, 0)
        .scale(121, 0)
        .scale(122, -1)
        .text(123, 32, &r.fault)
}

/// Model 702: its ratings.
fn capacity(r: &BessReading, steps: &Steps) -> Block {
    let island = 1 << 1 | u16::from(r.black_start) << 2 | 1 << 3;
    let mut block = Block::new(702, 50, &[(45, 52)]);
    for at in [2, 7, 10, 11, 26, 31, 34, 35] {
        block = block.unsigned(at, r.rating_w, steps.watts.0);
    }
    block
        .unsigned(14, r.nominal_v, 0.1)
        .unsigned(38, r.nominal_v, 0.1)
        .put(25, island)
        .put(44, island)
        .scale(45, steps.watts.1)
        .scale(46, -2)
        .scale(47, steps.watts.1)
        .scale(48, 0)
        .scale(49, -1)
        .scale(50, 0)
        .scale(51, 0)
}

/// Model 703: whether it may be connected to the grid.
fn enter_service(held: &Held) -> Block {
    Block::new(703, 17, &[(17, 19)])
        .put(2, u16::from(held.enter_service))
        .scale(17, -1)
        .scale(18, -2)
}

/// Model 704: what it is told to give.
fn control(r: &BessReading, held: &Held, beat: Beat, steps: &Steps) -> Block {
    let set = (held.set_w / steps.watts.0).round() as i32;
    let share = held.set_w / r.rating_w.max(1.0) * 100.0;
    let signed = [(24, 30), (38, 44), (53, 59)];
    Block::new(704, 65, &signed)
        .put(14, 0)
        .unsigned(15, 100.0, 0.1)
        .put(22, u16::from(held.set_on))
        .put(23, 1)
        .long(24, set as u32)
        .signed(28, share, 0.1)
        .long(31, held.revert_s)
        .long(33, beat.revert_left_s)
        .put(52, u16::from(held.anti_islanding))
        .scale(53, -2)
        .scale(54, -1)
        .scale(55, steps.watts.1)
        .scale(56, -1)
        .scale(57, 0)
        .scale(58, -1)
}

/// Model 713: what is stored.
fn storage(r: &BessReading, steps: &Steps) -> Block {
    let status = match r.status {
        BessStatus::Fault => 2,
        _ if r.charge <= r.limits[0] + 0.05 => 1,
        _ => 0,
    };
    let left = (r.charge - r.limits[0]).max(0.0) * r.energy_wh * r.health;
    Block::new(713, 7, &[(7, 9)])
        .unsigned(2, r.energy_wh, steps.watt_hours.0)
        .unsigned(3, left, steps.watt_hours.0)
        .unsigned(4, r.charge * 100.0, 0.1)
        .unsigned(5, r.health * 100.0, 0.1)
        .put(6, status)
        .scale(7, steps.watt_hours.1)
        .scale(8, -1)
}

/// Model 715: heartbeats and the operation that it is told.
fn der_control(r: &BessReading, held: &Held, beat: Beat) -> Block {
    let _ = r;
    Block::new(715, 7, &[])
        .put(2, 0)
        .long(3, beat.seconds)
        .long(5, held.controller)
        .put(7, 0)
        .put(8, held.operation[2])
}

/// Model 802: the battery.
fn battery(r: &BessReading, held: &Held, beat: Beat, steps: &Steps) -> Block {
    let (least, most) = (r.limits[0] * 100.0, r.limits[1] * 100.0);
    let charge = r.charge * 100.0;
    let state = match r.status {
        BessStatus::Disconnected => 1,
        BessStatus::Initializing => 2,
        BessStatus::Connected if r.charge <= r.limits[0] => 5,
        BessStatus::Connected => 3,
        BessStatus::Standby => 4,
        BessStatus::Fault => 99,
    };
    let flow = match r.w {
        _ if r.status == BessStatus::Disconnected => 1,
        _ if r.charge <= r.limits[0] + 1e-4 && r.w <= 0.0 => 2,
        w if w > 0.0 => 3,
        w if w < 0.0 => 4,
        _ if r.charge >= r.limits[1] - 1e-4 => 5,
        _ => 6,
    };
    let mut events = 0u32;
    for (bit, holds) in [
        (0, !r.controller_heard),
        (2, r.temperature_c > 45.0),
        (13, r.charge <= r.limits[0] + 1e-4),
        (14, r.charge <= r.limits[0] + 0.05),
    ] {
        events |= u32::from(holds) << bit;
    }
    let capacity_ah = if r.dc_v > 1.0 {
        r.energy_wh / r.dc_v
    } else {
        0.0
    };
    let requested = match r.status {
        BessStatus::Connected => 3,
        BessStatus::Standby => 2,
        _ => 1,
    };
    Block::new(802, 62, &[(44, 45), (47, 48), (49, 50), (52, 64)])
        .unsigned(2, capacity_ah, 1.0)
        .unsigned(3, r.energy_wh, steps.watt_hours.0)
        .unsigned(4, r.rating_w, steps.watts.0)
        .unsigned(5, r.rating_w, steps.watts.0)
        .unsigned(7, most, 0.1)
        .unsigned(8, least, 0.1)
        .unsigned(9, most, 0.1)
        .unsigned(10, least, 0.1)
        .unsigned(11, charge, 0.1)
        .unsigned(12, 100.0 - charge, 0.1)
        .unsigned(13, r.health * 100.0, 0.1)
        .put(16, flow)
        .put(17, 0)
        .put(18, beat.seconds as u16)
        .put(19, held.controller as u16)
        .put(20, 0)
        .put(21, 4)
        .put(22, state)
        .long(26, events)
        .long(28, 0)
        .long(30, 0)
        .long(32, 0)
        .unsigned(34, r.dc_v, 0.1)
        .unsigned(37, r.cell_v[1], 0.001)
        .unsigned(40, r.cell_v[0], 0.001)
        .signed(44, r.dc_a, 0.1)
        .signed(47, r.w, steps.watts.0)
        .put(48, requested)
        .put(50, held.operation[0])
        .put(51, held.operation[1])
        .scale(52, 0)
        .scale(53, steps.watt_hours.1)
        .scale(54, steps.watts.1)
        .scale(55, 0)
        .scale(56, -1)
        .scale(57, -1)
        .scale(58, -1)
        .scale(59, -1)
        .scale(60, -3)
        .scale(61, -1)
        .scale(62, 0)
        .scale(63, steps.watts.1)
}

/// Model 803: the strings, which are alike.
fn bank(r: &BessReading) -> Block {
    let closed = !matches!(
        r.status,
        BessStatus::Disconnected | BessStatus::Initializing
    );
    let mut signed = vec![
        (4, 5),
        (7, 8),
        (10, 11),
        (16, 17),
        (18, 19),
        (20, 21),
        (22, 28),
    ];
    for string in 0..STRINGS {
        let at = 28 + string * 32;
        signed.extend([
            (at + 6, at + 7),
            (at + 12, at + 13),
            (at + 14, at + 15),
            (at + 16, at + 17),
        ]);
    }
    let amps = r.dc_a / STRINGS as f64;
    let mut block = Block::new(803, (26 + STRINGS * 32) as u16, &signed)
        .put(2, STRINGS as u16)
        .put(3, if closed { STRINGS as u16 } else { 0 })
        .signed(4, r.temperature_c, 0.1)
        .signed(7, r.temperature_c, 0.1)
        .unsigned(11, r.dc_v, 0.1)
        .unsigned(13, r.dc_v, 0.1)
        .scale(22, -3)
        .scale(23, -1)
        .scale(24, -1)
        .scale(25, -1)
        .scale(26, -1)
        .scale(27, -1);
    for string in 0..STRINGS {
        let at = 28 + string * 32;
        block = block
            .put(at, 1)
            .long(at + 1, 1 | u32::from(closed) << 1)
            .put(at + 3, 0)
            .unsigned(at + 4, r.charge * 100.0, 0.1)
            .unsigned(at + 5, r.health * 100.0, 0.1)
            .signed(at + 6, amps, 0.1)
            .unsigned(at + 7, r.cell_v[1], 0.001)
            .unsigned(at + 9, r.cell_v[0], 0.001)
            .unsigned(at + 11, (r.cell_v[0] + r.cell_v[1]) / 2.0, 0.001)
            .signed(at + 12, r.temperature_c, 0.1)
            .signed(at + 14, r.temperature_c, 0.1)
            .signed(at + 16, r.temperature_c, 0.1)
            .long(at + 18, u32::from(closed))
            .long(at + 20, 0)
            .put(at + 30, 0)
            .put(at + 31, 0);
    }
    block
}
