//! What a write of registers means.

use super::frame::Exception;
use super::models::{BASE, Held, watts_step};
use crate::telemetry::{BessReading, DeviceCommand};

// Registers that can be written, from the base of the map.
const ES: u16 = 279;
const W_SET_ENA: u16 = 318;
const W_SET_MOD: u16 = 319;
const W_SET: u16 = 320;
const W_SET_PCT: u16 = 324;
const W_SET_RVRT_TMS: u16 = 327;
const ANTI_ISL_ENA: u16 = 348;
const CONTROLLER_HB: u16 = 377;
const ALARM_RESET: u16 = 379;
const OP_CTL: u16 = 380;
const CTRL_HB: u16 = 400;
const ALM_RST: u16 = 401;
const SET_OP: u16 = 431;
const SET_INV_STATE: u16 = 432;

/// What follows from a write: what the map holds then, and the orders to the
/// device.
pub(super) struct Written {
    pub(super) held: Held,
    pub(super) orders: Vec<DeviceCommand>,
    /// The set-point or its time to revert was written: the time begins anew.
    pub(super) armed: bool,
}

/// Reads a write. All of it is good, or none of it is done.
pub(super) fn read(
    at: u16,
    values: &[u16],
    held: &Held,
    reading: &BessReading,
) -> Result<Written, Exception> {
    let start = at.checked_sub(BASE).ok_or(Exception::IllegalAddress)?;
    let mut writing = Writing {
        held: held.clone(),
        orders: Vec::new(),
        set: false,
        armed: false,
        mode: 1,
        reading,
    };
    let mut offset = 0;
    while offset < values.len() {
        let register = start + offset as u16;
        let rest = &values[offset..];
        offset += match pair(register) {
            true => {
                let [high, low, ..] = rest else {
                    return Err(Exception::IllegalValue);
                };
                writing.long(register, u32::from(*high) << 16 | u32::from(*low))?;
                2
            }
            false => {
                writing.word(register, rest[0])?;
                1
            }
        };
    }
    if writing.set {
        let watts = writing.held.set_on.then_some(writing.held.set_w);
        writing.orders.push(DeviceCommand::Power { watts });
    }
    Ok(Written {
        held: writing.held,
        orders: writing.orders,
        armed: writing.set || writing.armed,
    })
}

fn pair(register: u16) -> bool {
    matches!(register, W_SET | W_SET_RVRT_TMS | CONTROLLER_HB)
}

struct Writing<'a> {
    held: Held,
    orders: Vec<DeviceCommand>,
    /// The set-point was written.
    set: bool,
    /// Its time to revert was written: clients that write in order of
    /// registers do so last.
    armed: bool,
    mode: u16,
    reading: &'a BessReading,
}

impl Writing<'_> {
    fn long(&mut self, register: u16, value: u32) -> Result<(), Exception> {
        match register {
            W_SET => self.power(f64::from(value as i32) * watts_step(self.reading))?,
            W_SET_RVRT_TMS => {
                self.held.revert_s = value;
                self.armed = true;
            }
            _ => {
                self.held.controller = value;
                self.orders.push(DeviceCommand::Heartbeat);
            }
        }
        Ok(())
    }

    fn power(&mut self, watts: f64) -> Result<(), Exception> {
        if watts.abs() > self.reading.rating_w {
            return Err(Exception::IllegalValue);
        }
        self.held.set_w = watts;
        self.set = true;
        Ok(())
    }

    fn word(&mut self, register: u16, value: u16) -> Result<(), Exception> {
        let switch = |value| match value {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Exception::IllegalValue),
        };
        match register {
            ES => {
                self.held.enter_service = switch(value)?;
                let on = !self.held.enter_service;
                self.orders.push(DeviceCommand::Island { on });
            }
            ANTI_ISL_ENA => {
                self.held.anti_islanding = switch(value)?;
                let on = !self.held.anti_islanding;
                self.orders.push(DeviceCommand::Form { on });
            }
            W_SET_ENA => {
                self.held.set_on = switch(value)?;
                self.set = true;
            }
            W_SET_MOD if value <= 1 => self.mode = value,
            W_SET_PCT => {
                let share = f64::from(value as i16) / 1_000.0;
                self.power(share * self.reading.rating_w)?;
            }
            ALARM_RESET | ALM_RST => {
                if switch(value)? {
                    self.orders.push(DeviceCommand::Reset);
                }
            }
            CTRL_HB => {
                self.held.controller = u32::from(value);
                self.orders.push(DeviceCommand::Heartbeat);
            }
            OP_CTL if value <= 3 => {
                self.held.operation[2] = value;
                let on = matches!(value, 1 | 3);
                self.orders.push(DeviceCommand::Run { on });
            }
            SET_OP if (1..=2).contains(&value) => {
                self.held.operation[0] = value;
                self.orders.push(DeviceCommand::Connect { on: value == 1 });
            }
            SET_INV_STATE if (1..=3).contains(&value) => {
                self.held.operation[1] = value;
                self.orders.push(DeviceCommand::Run { on: value == 3 });
            }
            W_SET_MOD | OP_CTL | SET_OP | SET_INV_STATE => return Err(Exception::IllegalValue),
            _ => return Err(Exception::IllegalAddress),
        }
        Ok(())
    }
}
