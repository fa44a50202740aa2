//! What flows through a UPS: its output, its draw, its battery.

use super::super::battery::CHARGE_EFFICIENCY;
use super::super::bus::{Notes, Output, Source};
use super::super::event::{BatteryState, Change, UpsState};
use super::super::ledger::{Milliwatts, Nanojoules};
use super::super::site::UpsClass;
use super::super::timers::earlier;
use super::model::UpsModel;
use super::states::OVERLOAD;
use crate::clock::Micros;

/// The walk-in ramp goes up in so many steps, each at its middle value, so
/// that powers stay constant between events and the energy is exact.
const WALK_IN_STEPS: u64 = 100;
/// A low-battery signal is cleared only this far above its threshold.
const LOW_CLEARS_AT: f64 = 1.1;

impl UpsModel {
    pub(super) fn output(&self, inputs: [Output; 2], index: usize) -> Output {
        let inverter = |source| Output {
            voltage_pu: 1.0,
            frequency_hz: self.nominal_hz,
            source,
        };
        match (self.state, self.class) {
            (UpsState::Off | UpsState::Transferring, _) => Output::DEAD,
            (UpsState::Bypass, _) => inputs[self.bypass_input],
            (UpsState::Eco, _) => inputs[0],
            (UpsState::OnBattery | UpsState::Qualifying | UpsState::WalkIn, _) => {
                inverter(Source::Battery(index))
            }
            // The battery floats on the DC link: while the input is being
            // disqualified the inverter does not notice.
            (UpsState::Normal, UpsClass::Vfi) => match inputs[0].source {
                Source::Dead => inverter(Source::Battery(index)),
                source => inverter(source),
            },
            (UpsState::Normal, UpsClass::Vi) if self.good => Output {
                voltage_pu: 1.0,
                ..inputs[0]
            },
            (UpsState::Normal, UpsClass::Vi | UpsClass::Vfd) => inputs[0],
        }
    }

    /// How much of the load is on the battery.
    fn battery_share(&self, t_us: Micros) -> f64 {
        match self.state {
            UpsState::Normal if self.class == UpsClass::Vfi && !self.good => 1.0,
            UpsState::OnBattery | UpsState::Qualifying => 1.0,
            UpsState::WalkIn => 1.0 - self.walk_in_share(t_us),
            UpsState::Normal
            | UpsState::Eco
            | UpsState::Bypass
            | UpsState::Transferring
            | UpsState::Off => 0.0,
        }
    }

    fn walk_in_share(&self, t_us: Micros) -> f64 {
        (self.walk_in_step(t_us) as f64 + 0.5) / WALK_IN_STEPS as f64
    }

    fn walk_in_step(&self, t_us: Micros) -> u64 {
        ((t_us - self.entered) * WALK_IN_STEPS / self.walk_in_us.max(1)).min(WALK_IN_STEPS - 1)
    }

    /// Takes the load at its output and returns what it draws at each of its
    /// inputs.
    pub(in super::super) fn carry(
        &mut self,
        t_us: Micros,
        load: Milliwatts,
        notes: &mut Notes,
    ) -> [Milliwatts; 2] {
        self.load = load;
        let inverter = !matches!(self.state, UpsState::Off | UpsState::Bypass);
        for (since, (share, _)) in self.over.iter_mut().zip(OVERLOAD) {
            let over = inverter && load as f64 > share * self.rating as f64;
            *since = if over { since.or(Some(t_us)) } else { None };
        }
        let share = self.battery_share(t_us);
        let out = (load as f64 * share).round() as Milliwatts;
        let charges = matches!(
            self.state,
            UpsState::Normal | UpsState::Eco | UpsState::Bypass
        );
        self.charging = if charges && self.good && !self.failed {
            self.battery.wants(t_us)
        } else {
            0
        };
        let efficiency = match self.state {
            UpsState::Bypass => 1.0,
            UpsState::Eco => self.eco_efficiency,
            _ => self.efficiency,
        };
        let through = ((load - out) as f64 / efficiency).round() as Milliwatts;
        let mut draws = [self.charging, 0];
        let by_bypass = self.state == UpsState::Bypass;
        draws[if by_bypass { self.bypass_input } else { 0 }] += through;
        self.battery.flow(t_us, out, self.charging);
        self.meters.input.set(t_us, draws[0] + draws[1]);
        self.meters.output.set(t_us, load);
        self.meters.battery.set(t_us, out);
        self.meters.charger.set(t_us, self.charging);
        self.tell_battery(t_us, share > 0.0, notes);
        self.tell_low(t_us, notes);
        draws
    }

    fn tell_battery(&mut self, t_us: Micros, carries: bool, notes: &mut Notes) {
        let from = self.battery.state;
        let to = self.battery.state_now(carries, t_us, self.charging);
        if from == to {
            return;
        }
        self.battery.state = to;
        if to == BatteryState::Discharging {
            self.replace = false;
        }
        let charge = self.battery.charge(t_us);
        let cause = match to {
            BatteryState::Idle if charge >= 1.0 => "full",
            BatteryState::Idle => "no flow",
            BatteryState::Charging => "charger on",
            BatteryState::Discharging => "load on battery",
            BatteryState::Empty => "nothing left",
            BatteryState::Open => "string open",
        };
        notes.push((cause.to_string(), Change::Battery { from, to, charge }));
    }

    fn tell_low(&mut self, t_us: Micros, notes: &mut Notes) {
        let believed = self.battery.believed(t_us);
        let level = self.battery.low_at(self.load);
        let (low, cause) = match self.state {
            UpsState::Normal | UpsState::Eco | UpsState::Bypass => (false, "load on mains"),
            // A dead UPS has nothing new to say.
            UpsState::Off => (self.low, ""),
            _ if believed <= level + 1e-9 => (true, "charge or runtime low"),
            _ => (
                self.low && believed <= level * LOW_CLEARS_AT,
                "load smaller",
            ),
        };
        if low != self.low {
            self.low = low;
            let change = Change::LowBattery {
                low,
                charge: self.battery.charge(t_us),
                runtime_s: self.battery.believed_runtime_s(t_us, self.load),
            };
            notes.push((cause.to_string(), change));
        }
    }

    /// When it wants to be looked at again.
    pub(in super::super) fn next_due(&self, t_us: Micros) -> Option<Micros> {
        let overload = self
            .over
            .iter()
            .zip(OVERLOAD)
            .filter_map(|(since, (_, limit))| since.map(|s| s.saturating_add(limit)))
            .min();
        let low = if self.on_battery() && !self.low {
            self.battery.falls_to(self.battery.low_at(self.load))
        } else {
            None
        };
        let charge = earlier(self.battery.next_due(), low);
        earlier(earlier(overload, charge), self.state_due(t_us))
    }

    fn state_due(&self, t_us: Micros) -> Option<Micros> {
        match self.state {
            UpsState::Normal | UpsState::Eco if !self.good => {
                Some(self.since.saturating_add(self.disqualify_us))
            }
            UpsState::Transferring => Some(self.entered.saturating_add(self.transfer_us)),
            UpsState::Qualifying => Some(self.since.saturating_add(self.requalify_us)),
            UpsState::WalkIn => {
                let step = self.walk_in_step(t_us) + 1;
                let dt = (step * self.walk_in_us).div_ceil(WALK_IN_STEPS);
                Some(self.entered.saturating_add(dt))
            }
            UpsState::Normal if self.eco => Some(self.entered.saturating_add(self.requalify_us)),
            UpsState::Bypass if !self.bypass_good => self.bypass_lost_at.filter(|at| *at > t_us),
            UpsState::Bypass if self.may_leave_bypass() => Some(self.returns_at()),
            UpsState::Off if self.may_return() => Some(self.returns_at()),
            UpsState::Normal
            | UpsState::Eco
            | UpsState::Bypass
            | UpsState::OnBattery
            | UpsState::Off => None,
        }
    }

    fn returns_at(&self) -> Micros {
        let since = self.since.max(self.entered);
        since.saturating_add(self.requalify_us)
    }

    /// Energy until `t_us`: charged, discharged, lost; the first two at the
    /// battery, in nanojoules.
    pub(in super::super) fn energy(&self, t_us: Micros) -> (Nanojoules, Nanojoules, Nanojoules) {
        let charger = self.meters.charger.read(t_us);
        let charged = (charger as f64 * CHARGE_EFFICIENCY) as Nanojoules;
        let discharged = self.meters.battery.read(t_us);
        let input = self.meters.input.read(t_us);
        let lost = input + discharged - self.meters.output.read(t_us) - charged;
        (charged, discharged, lost)
    }
}
