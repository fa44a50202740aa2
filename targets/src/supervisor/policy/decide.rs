//! What follows from what the supervisor believes, without input or output.
//!
//! The policy says what each device should be told; telling it, and telling it
//! again until it obeys, is the desk's.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{RetransferMode, ShedLevel};
use crate::clock::Micros;
use crate::supervisor::config::{SupervisorConfig, SupervisorState};
use crate::telemetry::{BessMode, BessReading, DeviceCommand};

/// A machine that can be given up, through its BMC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Governed {
    /// Its name.
    pub name: String,
    /// Its rack.
    pub rack: String,
    /// The node of its BMC.
    pub host: String,
    /// The port of the BMC's Redfish service.
    pub port: u16,
    /// What it draws when idle: no cap goes below.
    pub idle_w: f64,
    /// The most it draws.
    pub peak_w: f64,
}

/// What the supervisor believes now.
#[derive(Clone, Debug, Default)]
pub(in crate::supervisor) struct Sight {
    /// Lowest charge that a UPS tells, 0 to 1.
    pub(in crate::supervisor) charge: Option<f64>,
    /// Shortest runtime that a UPS tells, in seconds.
    pub(in crate::supervisor) runtime_s: Option<f64>,
    /// Storage systems, by name; those that were heard lately.
    pub(in crate::supervisor) bess: BTreeMap<String, BessReading>,
}

/// One side of a device that can be told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::supervisor) enum Side {
    Limit,
    Power,
    Run,
    Breaker,
    Retransfer,
}

/// What a device should be told, in order.
pub(in crate::supervisor) type Wishes = BTreeMap<(String, Side), Vec<DeviceCommand>>;

/// A level that was entered or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::supervisor) struct Shed {
    pub(in crate::supervisor) from: usize,
    pub(in crate::supervisor) to: usize,
    pub(in crate::supervisor) cause: String,
}

/// The policy at work.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Policy {
    config: SupervisorConfig,
    machines: Vec<Governed>,
    generators: Vec<String>,
    /// Since when the site is off the mains.
    lost_us: Option<Micros>,
    /// Since when it is settled on the mains.
    settled_us: Option<Micros>,
    /// Since when each storage system's bus is without the grid.
    dark_us: BTreeMap<String, Micros>,
    /// When each level was entered.
    entered: Vec<Option<Micros>>,
    wishes: Wishes,
}

impl Policy {
    pub(in crate::supervisor) fn new(
        config: &SupervisorConfig,
        machines: Vec<Governed>,
        generators: Vec<String>,
        transfers: &[String],
    ) -> Self {
        let mut wishes = Wishes::new();
        if config.retransfer == RetransferMode::Manual {
            for transfer in transfers {
                let stay = vec![DeviceCommand::Retransfer { on: false }];
                wishes.insert((transfer.clone(), Side::Retransfer), stay);
            }
        }
        Self {
            entered: vec![None; config.shed.len()],
            config: config.clone(),
            machines,
            generators,
            lost_us: None,
            settled_us: None,
            dark_us: BTreeMap::new(),
            wishes,
        }
    }

    /// What each device should be told now.
    pub(in crate::supervisor) fn wishes(&self) -> &Wishes {
        &self.wishes
    }

    /// Takes what is believed now; returns the levels that were entered or left.
    pub(in crate::supervisor) fn look(
        &mut self,
        now_us: Micros,
        state: SupervisorState,
        sight: &Sight,
    ) -> Vec<Shed> {
        use SupervisorState as S;
        match state {
            // A UPS between two sources has lost the one.
            S::Transferring | S::OnBattery | S::LowBattery | S::ShuttingDown => {
                self.lost_us.get_or_insert(now_us);
                self.settled_us = None;
            }
            S::Utility | S::Recovered => {
                self.lost_us = None;
                self.settled_us.get_or_insert(now_us);
            }
            // Mains is back but not trusted, or nothing is known: all stays as
            // it is.
            S::Retransfer | S::Blind => {}
        }
        let sheds = self.levels(now_us, state, sight);
        self.machines(now_us);
        self.generators(now_us);
        self.storage(now_us, sight);
        sheds
    }

    fn levels(&mut self, now_us: Micros, state: SupervisorState, sight: &Sight) -> Vec<Shed> {
        let mut sheds = Vec::new();
        let count = |entered: &[Option<Micros>]| entered.iter().flatten().count();
        if self.settled_us.is_some() {
            let from = count(&self.entered);
            self.entered.fill(None);
            if from > 0 {
                let cause = "mains has settled".to_string();
                sheds.push(Shed { from, to: 0, cause });
            }
            return sheds;
        }
        let on_battery = matches!(
            state,
            SupervisorState::OnBattery
                | SupervisorState::LowBattery
                | SupervisorState::ShuttingDown
        );
        let (Some(lost_us), true) = (self.lost_us, on_battery) else {
            return sheds;
        };
        for index in 0..self.config.shed.len() {
            if self.entered[index].is_some() {
                continue;
            }
            let level = &self.config.shed[index];
            if let Some(cause) = reason(level, now_us - lost_us, sight) {
                let from = count(&self.entered);
                self.entered[index] = Some(now_us);
                sheds.push(Shed {
                    from,
                    to: from + 1,
                    cause,
                });
            }
        }
        sheds
    }

    /// Machines of a rack, in order; every machine where no rack is named.
    fn of_level<'a>(&'a self, level: &'a ShedLevel) -> Vec<&'a Governed> {
        if level.racks.is_empty() {
            return self.machines.iter().collect();
        }
        let of_rack = |rack: &'a String| self.machines.iter().filter(move |m| &m.rack == rack);
        level.racks.iter().flat_map(of_rack).collect()
    }

    fn machines(&mut self, now_us: Micros) {
        let mut wishes = Wishes::new();
        for (level, entered) in self.config.shed.iter().zip(&self.entered) {
            let Some(entered) = entered else {
                continue;
            };
            for (place, machine) in self.of_level(level).into_iter().enumerate() {
                if let Some(cap) = level.cap {
                    // No cap goes below what an idle machine draws.
                    let watts = (machine.peak_w * cap.get()).max(machine.idle_w);
                    let limit = DeviceCommand::Limit { watts: Some(watts) };
                    wishes.insert((machine.name.clone(), Side::Limit), vec![limit]);
                }
                let due = entered + level.pause.micros() * place as u64;
                if level.off && now_us >= due {
                    let off = DeviceCommand::Machine { on: false };
                    wishes.insert((machine.name.clone(), Side::Power), vec![off]);
                }
            }
        }
        // What was given up before and is not now is taken back.
        for machine in &self.machines {
            for (side, back) in [
                (Side::Limit, DeviceCommand::Limit { watts: None }),
                (Side::Power, DeviceCommand::Machine { on: true }),
            ] {
                let key = (machine.name.clone(), side);
                match wishes.remove(&key) {
                    Some(wish) => {
                        self.wishes.insert(key, wish);
                    }
                    None => {
                        if let Some(wish) = self.wishes.get_mut(&key) {
                            *wish = vec![back];
                        }
                    }
                }
            }
        }
    }

    fn generators(&mut self, now_us: Micros) {
        let Some(policy) = &self.config.generators else {
            return;
        };
        let since = |at: Option<Micros>, after: crate::units::Span| {
            at.is_some_and(|at| now_us >= at + after.micros())
        };
        let command = match () {
            () if since(self.lost_us, policy.start_after) => DeviceCommand::Start,
            () if since(self.settled_us, policy.stop_after) => DeviceCommand::Stop,
            () => return,
        };
        for generator in &self.generators {
            let key = (generator.clone(), Side::Run);
            // One that was never started need not be let go.
            if command == DeviceCommand::Start || self.wishes.contains_key(&key) {
                self.wishes.insert(key, vec![command.clone()]);
            }
        }
    }

    /// A storage system whose bus lost the grid becomes an island; a lone one
    /// is told to join the grid again.
    fn storage(&mut self, now_us: Micros, sight: &Sight) {
        let policy = &self.config.bess;
        for (name, reading) in &sight.bess {
            if !policy.island {
                continue;
            }
            let dark = reading.v < 0.85 * reading.nominal_v;
            let forms = reading.islanded && reading.mode == BessMode::Forming;
            let key = (name.clone(), Side::Breaker);
            if dark {
                let since = *self.dark_us.entry(name.clone()).or_insert(now_us);
                if now_us >= since + policy.island_after.micros() {
                    let island = DeviceCommand::Island { on: true };
                    let form = DeviceCommand::Form { on: true };
                    self.wishes.insert(key, vec![island, form]);
                }
                continue;
            }
            self.dark_us.remove(name);
            let alone = self.wishes.contains_key(&key) && reading.islanded;
            if alone && forms && self.config.retransfer == RetransferMode::Automatic {
                // Once in step it closes its breaker, and follows.
                let join = DeviceCommand::Island { on: false };
                self.wishes.insert(key, vec![join]);
            }
        }
    }
}

/// Why a level is entered, if it is.
fn reason(level: &ShedLevel, lost_for: Micros, sight: &Sight) -> Option<String> {
    let when = &level.when;
    if let Some(after) = when.on_battery_for
        && lost_for >= after.micros()
    {
        return Some(format!("on battery for {after}"));
    }
    if let (Some(limit), Some(charge)) = (when.charge_below, sight.charge)
        && charge < limit.get()
    {
        return Some(format!("charge below {limit}"));
    }
    if let (Some(limit), Some(runtime_s)) = (when.runtime_below, sight.runtime_s)
        && runtime_s < limit.secs_f64()
    {
        return Some(format!("runtime below {limit}"));
    }
    None
}
