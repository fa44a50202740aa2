//! A UPS: its state machine, its output, and the flows through it.
//!
//! Away from mains there is a gap of the transfer time (VI, VFD) once the input
//! is disqualified; the way back has none, because the inverter runs in step
//! with the input it has qualified. There is no bypass: what overloads a UPS
//! for too long turns it off.

use super::battery::{BatteryModel, CHARGE_EFFICIENCY};
use super::bus::{Notes, Output, Source};
use super::event::{BatteryState, Change, UpsState};
use super::ledger::{Meter, Milliwatts, Nanojoules, milliwatts};
use super::site::{self, UpsClass};
use super::timers::earlier;
use crate::clock::Micros;
use crate::units::Watts;

/// Overload bands: above this share of the rating for this long it gives up.
/// Typical: 125 % for ten minutes, 150 % for one, more for 200 ms.
const OVERLOAD: [(f64, Micros); 3] = [(1.0, 600_000_000), (1.25, 60_000_000), (1.5, 200_000)];
/// The walk-in ramp goes up in so many steps, each at its middle value, so
/// that powers stay constant between events and the energy is exact.
const WALK_IN_STEPS: u64 = 100;
/// A low-battery signal is cleared only this far above its threshold.
const LOW_CLEARS_AT: f64 = 1.1;

/// A UPS.
#[derive(Clone, Debug)]
pub(super) struct UpsModel {
    class: UpsClass,
    /// Rated output power.
    pub(super) rating: Milliwatts,
    efficiency: f64,
    transfer_us: Micros,
    window: site::InputWindow,
    nominal_hz: f64,
    disqualify_us: Micros,
    requalify_us: Micros,
    walk_in_us: Micros,
    /// Its state.
    pub(super) state: UpsState,
    good: bool,
    /// Since when the input has been as good or bad as it is.
    since: Micros,
    /// When the present state began.
    entered: Micros,
    over: [Option<Micros>; 3],
    /// Since when the load has been on battery.
    battery_since: Option<Micros>,
    /// How often the input has left the window.
    pub(super) line_bads: u32,
    /// Its battery.
    pub(super) battery: BatteryModel,
    /// Its low-battery signal.
    pub(super) low: bool,
    /// It has learnt that its battery is no good.
    pub(super) replace: bool,
    /// Why it last left the mains.
    pub(super) reason: &'static str,
    /// What the charger draws.
    pub(super) charging: Milliwatts,
    load: Milliwatts,
    meters: Meters,
}

/// Energy meters of a UPS.
#[derive(Clone, Copy, Debug, Default)]
struct Meters {
    input: Meter,
    output: Meter,
    battery: Meter,
    charger: Meter,
}

impl UpsModel {
    pub(super) fn new(site: &site::Ups, nominal_hz: f64) -> Self {
        let transfer = match (site.transfer, site.class) {
            (Some(transfer), _) => transfer.micros(),
            (None, UpsClass::Vfi) => 0,
            (None, UpsClass::Vi | UpsClass::Vfd) => 10_000,
        };
        Self {
            class: site.class,
            rating: milliwatts(site.rating.get()),
            efficiency: site.efficiency.get(),
            transfer_us: transfer,
            window: site.input_window.clone(),
            nominal_hz,
            disqualify_us: site.disqualify.micros(),
            requalify_us: site.requalify.micros(),
            walk_in_us: site.walk_in.micros(),
            state: UpsState::Normal,
            good: true,
            since: 0,
            entered: 0,
            over: [None; 3],
            battery_since: None,
            line_bads: 0,
            battery: BatteryModel::new(&site.battery, site.rating.get()),
            low: false,
            replace: false,
            reason: "",
            charging: 0,
            load: 0,
            meters: Meters::default(),
        }
    }

    /// What is wrong with an input, if anything.
    fn objection(&self, input: Output) -> Option<&'static str> {
        let deviation = (input.frequency_hz / self.nominal_hz - 1.0).abs();
        match input.voltage_pu {
            v if v < 0.1 => Some("input lost"),
            v if v < self.window.low.get() => Some("input voltage low"),
            v if v > self.window.high.get() => Some("input voltage high"),
            _ if deviation > self.window.frequency.get() => Some("input frequency out of range"),
            _ => None,
        }
    }

    /// Moves through every state that is due and returns its output; `index`
    /// is its own among the buses.
    pub(super) fn react(
        &mut self,
        t_us: Micros,
        input: Output,
        index: usize,
        notes: &mut Notes,
    ) -> Output {
        let objection = self.objection(input);
        if objection.is_none() != self.good {
            self.good = objection.is_none();
            self.since = t_us;
            self.line_bads = self.line_bads.saturating_add(u32::from(!self.good));
        }
        // Every state is entered at most once at one instant, but for the
        // first, so that more rounds than states cannot be needed.
        for _ in 0..8 {
            let Some((to, cause)) = self.next_state(t_us, objection) else {
                break;
            };
            self.enter(t_us, to, cause, notes);
        }
        self.output(input, index)
    }

    fn next_state(
        &self,
        t_us: Micros,
        objection: Option<&'static str>,
    ) -> Option<(UpsState, &'static str)> {
        use UpsState as S;
        let delivers = self.battery.delivers(t_us);
        let for_us = t_us - self.since;
        let requalified = for_us >= self.requalify_us;
        if self.state != S::Off && self.overloaded(t_us) {
            return Some((S::Off, "overload"));
        }
        match (self.state, objection) {
            (S::Normal, None) => None,
            (S::Normal, Some(_)) if self.class == UpsClass::Vfi && !delivers => {
                Some((S::Off, self.dead_battery()))
            }
            (S::Normal, Some(why)) if for_us >= self.disqualify_us => match self.transfer_us {
                0 if !delivers => Some((S::Off, self.dead_battery())),
                0 => Some((S::OnBattery, why)),
                _ => Some((S::Transferring, why)),
            },
            (S::Normal, Some(_)) => None,
            (S::Transferring, _) if t_us - self.entered < self.transfer_us => None,
            (S::Transferring, _) if delivers => Some((S::OnBattery, "transferred")),
            (S::OnBattery | S::Qualifying | S::Transferring, _) if !delivers => {
                Some((S::Off, self.dead_battery()))
            }
            (S::OnBattery, None) => Some((S::Qualifying, "input good")),
            (S::OnBattery | S::Transferring, _) => None,
            (S::Qualifying | S::WalkIn, Some(why)) => Some((S::OnBattery, why)),
            (S::Qualifying, None) => requalified.then_some((S::WalkIn, "input requalified")),
            (S::WalkIn, None) if !delivers => Some((S::Normal, self.dead_battery())),
            (S::WalkIn, None) => {
                (t_us - self.entered >= self.walk_in_us).then_some((S::Normal, "load on mains"))
            }
            (S::Off, None) => (requalified && t_us - self.entered >= self.requalify_us)
                .then_some((S::Normal, "input requalified")),
            (S::Off, Some(_)) => None,
        }
    }

    fn enter(&mut self, t_us: Micros, to: UpsState, cause: &'static str, notes: &mut Notes) {
        let from = self.state;
        if from == UpsState::Normal {
            self.reason = cause;
        }
        if to == UpsState::Off {
            self.over = [None; 3];
            // It learns only now that there was nothing behind the charge that
            // it showed.
            let shown = self.battery.believed(t_us);
            self.replace |= !self.battery.delivers(t_us) && shown > 0.05;
        }
        self.state = to;
        self.entered = t_us;
        if !self.on_battery() {
            self.battery_since = None;
        } else if to != UpsState::Transferring {
            self.battery_since = self.battery_since.or(Some(t_us));
        }
        notes.push((cause.to_string(), Change::Ups { from, to }));
    }

    fn dead_battery(&self) -> &'static str {
        if self.battery.open {
            "battery open"
        } else {
            "battery empty"
        }
    }

    fn overloaded(&self, t_us: Micros) -> bool {
        self.over
            .iter()
            .zip(OVERLOAD)
            .any(|(since, (_, limit))| since.is_some_and(|s| s + limit <= t_us))
    }

    fn output(&self, input: Output, index: usize) -> Output {
        let inverter = |source| Output {
            voltage_pu: 1.0,
            frequency_hz: self.nominal_hz,
            source,
        };
        match (self.state, self.class) {
            (UpsState::Off | UpsState::Transferring, _) => Output::DEAD,
            (UpsState::OnBattery | UpsState::Qualifying | UpsState::WalkIn, _) => {
                inverter(Source::Battery(index))
            }
            // The battery floats on the DC link: while the input is being
            // disqualified the inverter does not notice.
            (UpsState::Normal, UpsClass::Vfi) => match input.source {
                Source::Dead => inverter(Source::Battery(index)),
                source => inverter(source),
            },
            (UpsState::Normal, UpsClass::Vi) if self.good => Output {
                voltage_pu: 1.0,
                ..input
            },
            (UpsState::Normal, UpsClass::Vi | UpsClass::Vfd) => input,
        }
    }

    /// How much of the load is on the battery.
    fn battery_share(&self, t_us: Micros) -> f64 {
        match self.state {
            UpsState::Normal if self.class == UpsClass::Vfi && !self.good => 1.0,
            UpsState::OnBattery | UpsState::Qualifying => 1.0,
            UpsState::WalkIn => 1.0 - self.walk_in_share(t_us),
            UpsState::Normal | UpsState::Transferring | UpsState::Off => 0.0,
        }
    }

    fn walk_in_share(&self, t_us: Micros) -> f64 {
        (self.walk_in_step(t_us) as f64 + 0.5) / WALK_IN_STEPS as f64
    }

    fn walk_in_step(&self, t_us: Micros) -> u64 {
        ((t_us - self.entered) * WALK_IN_STEPS / self.walk_in_us.max(1)).min(WALK_IN_STEPS - 1)
    }

    /// Takes the load at its output and returns what it draws at its input.
    pub(super) fn carry(
        &mut self,
        t_us: Micros,
        load: Milliwatts,
        notes: &mut Notes,
    ) -> Milliwatts {
        self.load = load;
        for (since, (share, _)) in self.over.iter_mut().zip(OVERLOAD) {
            let over = self.state != UpsState::Off && load as f64 > share * self.rating as f64;
            *since = if over { since.or(Some(t_us)) } else { None };
        }
        let share = self.battery_share(t_us);
        let out = (load as f64 * share).round() as Milliwatts;
        let on_mains = self.state == UpsState::Normal && self.good;
        self.charging = if on_mains {
            self.battery.wants(t_us)
        } else {
            0
        };
        let draw = self.charging + ((load - out) as f64 / self.efficiency).round() as Milliwatts;
        self.battery.flow(t_us, out, self.charging);
        self.meters.input.set(t_us, draw);
        self.meters.output.set(t_us, load);
        self.meters.battery.set(t_us, out);
        self.meters.charger.set(t_us, self.charging);
        self.tell_battery(t_us, share > 0.0, notes);
        self.tell_low(t_us, notes);
        draw
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

    fn on_battery(&self) -> bool {
        !matches!(self.state, UpsState::Normal | UpsState::Off)
    }

    fn tell_low(&mut self, t_us: Micros, notes: &mut Notes) {
        let believed = self.battery.believed(t_us);
        let level = self.battery.low_at(self.load);
        let (low, cause) = match self.state {
            UpsState::Normal => (false, "load on mains"),
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

    /// Seconds on battery, 0 when it is not.
    pub(super) fn on_battery_s(&self, t_us: Micros) -> f64 {
        self.battery_since
            .map_or(0.0, |since| (t_us - since) as f64 / 1e6)
    }

    /// The input voltages that it accepts, per unit.
    pub(super) fn window_pu(&self) -> [f64; 2] {
        [self.window.low.get(), self.window.high.get()]
    }

    /// As a data sheet's headline: `VFI 20kW`.
    pub(super) fn headline(&self) -> String {
        let class = match self.class {
            UpsClass::Vfi => "VFI",
            UpsClass::Vi => "VI",
            UpsClass::Vfd => "VFD",
        };
        format!("{class} {}", Watts(self.rating as f64 / 1e3))
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self, t_us: Micros) -> Option<Micros> {
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
            UpsState::Normal if !self.good => Some(self.since.saturating_add(self.disqualify_us)),
            UpsState::Transferring => Some(self.entered.saturating_add(self.transfer_us)),
            UpsState::Qualifying => Some(self.since.saturating_add(self.requalify_us)),
            UpsState::WalkIn => {
                let step = self.walk_in_step(t_us) + 1;
                let dt = (step * self.walk_in_us).div_ceil(WALK_IN_STEPS);
                Some(self.entered.saturating_add(dt))
            }
            UpsState::Off if self.good => Some(
                self.since
                    .max(self.entered)
                    .saturating_add(self.requalify_us),
            ),
            UpsState::Normal | UpsState::OnBattery | UpsState::Off => None,
        }
    }

    /// Energy until `t_us`: charged, discharged, lost; the first two at the
    /// battery, in nanojoules.
    pub(super) fn energy(&self, t_us: Micros) -> (Nanojoules, Nanojoules, Nanojoules) {
        let charger = self.meters.charger.read(t_us);
        let charged = (charger as f64 * CHARGE_EFFICIENCY) as Nanojoules;
        let discharged = self.meters.battery.read(t_us);
        let input = self.meters.input.read(t_us);
        let lost = input + discharged - self.meters.output.read(t_us) - charged;
        (charged, discharged, lost)
    }
}
