//! The orders that a BESS takes.

use super::super::bus::Notes;
use super::super::command::{Obeyed, refused, unsupported};
use super::super::event::{BessState, Change};
use super::super::ledger::milliwatts;
use super::model::BessModel;
use crate::clock::Micros;
use crate::telemetry::{CommandError, DeviceCommand};

impl BessModel {
    /// Takes an order; `dead` says that its bus has no voltage.
    pub(in super::super) fn obey(
        &mut self,
        t_us: Micros,
        name: &str,
        dead: bool,
        command: &DeviceCommand,
        notes: &mut Notes,
    ) -> Obeyed {
        self.settle(t_us);
        let faulty = self.state == BessState::Fault;
        match *command {
            DeviceCommand::Heartbeat => {
                self.heard_at = Some(t_us);
                Ok(())
            }
            DeviceCommand::Reset => {
                self.reset(t_us, notes);
                Ok(())
            }
            DeviceCommand::Connect { on: true }
            | DeviceCommand::Run { on: true }
            | DeviceCommand::Form { on: true }
                if faulty =>
            {
                refused(name, self.fault)
            }
            DeviceCommand::Connect { on } => {
                self.told_connect = on;
                Ok(())
            }
            DeviceCommand::Run { on } => {
                self.told_run = on;
                Ok(())
            }
            DeviceCommand::Island { on } => self.island(name, on, dead),
            DeviceCommand::Form { on } => self.form(name, on, dead),
            DeviceCommand::Power { watts } => self.give(name, watts),
            _ => Err(unsupported(name)),
        }
    }

    fn island(&mut self, name: &str, on: bool, dead: bool) -> Obeyed {
        if !on && !self.closed && !self.grid_good && !dead {
            return refused(name, "the grid is not good");
        }
        self.told_close = !on;
        if !on && dead {
            self.told_form = false;
        }
        Ok(())
    }

    fn form(&mut self, name: &str, on: bool, dead: bool) -> Obeyed {
        match () {
            () if !on => {}
            () if self.closed && dead => return refused(name, "its breaker to the grid is closed"),
            () if dead && !self.site.black_start => return refused(name, "it cannot black-start"),
            () if !self.can_discharge() => return refused(name, "its charge is at the lowest"),
            () if !matches!(
                self.state,
                BessState::Following | BessState::Starting | BessState::Forming
            ) =>
            {
                return refused(name, "its inverter does not run");
            }
            () => {}
        }
        self.told_form = on;
        Ok(())
    }

    fn give(&mut self, name: &str, watts: Option<f64>) -> Obeyed {
        let most = self.rating as f64 / 1e3;
        if watts.is_some_and(|watts| watts.is_nan() || watts.abs() > most) {
            let problem = format!("{name}: must be between -{most} W and {most} W");
            return Err(CommandError::OutOfRange(problem));
        }
        self.set = watts.map(milliwatts);
        Ok(())
    }

    /// A fault is cleared by hand.
    fn reset(&mut self, t_us: Micros, notes: &mut Notes) {
        if self.state != BessState::Fault {
            return;
        }
        let (from, to) = (self.state, BessState::Standby);
        (self.state, self.entered, self.fault) = (to, t_us, "");
        (self.told_form, self.over) = (false, [None; 2]);
        let charge = self.charge(t_us);
        notes.push(("reset".to_string(), Change::Bess { from, to, charge }));
    }
}
