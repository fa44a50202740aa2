//! A UPS.
//!
//! Away from mains there is a gap of the transfer time (VI, VFD) once the input
//! is disqualified; the way back has none, because the inverter runs in step
//! with the input it has qualified. What overloads a UPS for too long puts it
//! on its static bypass, or, where that cannot carry the load, turns it off.

use super::super::battery::BatteryModel;
use super::super::bus::{Notes, Output};
use super::super::event::UpsState;
use super::super::ledger::{Meter, Milliwatts, milliwatts};
use super::super::site::{self, UpsClass};
use crate::clock::Micros;
use crate::telemetry::ReadingStatus;
use crate::units::Watts;

/// Past the converter there is a gap, while the load moves to the inverter
/// (typical).
const ECO_TRANSFER_US: Micros = 4_000;
/// Efficiency past the converter (typical).
const ECO_EFFICIENCY: f64 = 0.99;
/// So long the bypass must be bad before it is left (typical).
const BYPASS_LOST_US: Micros = 10_000;
/// A line-interactive UPS raises an input below, or lowers one above, these
/// voltages (typical).
const REGULATES_PU: [f64; 2] = [0.95, 1.05];

/// A UPS.
#[derive(Clone, Debug)]
pub(in super::super) struct UpsModel {
    pub(super) class: UpsClass,
    /// Rated output power.
    pub(in super::super) rating: Milliwatts,
    pub(super) efficiency: f64,
    pub(super) transfer_us: Micros,
    pub(super) window: site::InputWindow,
    pub(super) nominal_hz: f64,
    pub(super) disqualify_us: Micros,
    pub(super) requalify_us: Micros,
    pub(super) walk_in_us: Micros,
    /// Its state.
    pub(in super::super) state: UpsState,
    pub(super) good: bool,
    /// Since when the input has been as good or bad as it is.
    pub(super) since: Micros,
    /// When the present state began.
    pub(super) entered: Micros,
    pub(super) over: [Option<Micros>; 3],
    /// Since when the load has been on battery.
    pub(super) battery_since: Option<Micros>,
    /// How often the input has left the window.
    pub(in super::super) line_bads: u32,
    /// Its battery.
    pub(in super::super) battery: BatteryModel,
    /// Its low-battery signal.
    pub(in super::super) low: bool,
    /// It has learnt that its battery is no good.
    pub(in super::super) replace: bool,
    /// Why it last left the mains.
    pub(in super::super) reason: &'static str,
    /// What the charger draws.
    pub(in super::super) charging: Milliwatts,
    pub(super) load: Milliwatts,
    /// It has a static bypass, at this of its inputs.
    pub(in super::super) bypass: bool,
    pub(super) bypass_input: usize,
    pub(in super::super) bypass_good: bool,
    pub(super) bypass_lost_at: Option<Micros>,
    pub(super) eco: bool,
    pub(super) eco_efficiency: f64,
    /// So many disturbances within so long lock it out.
    pub(super) strikes: Option<(usize, Micros)>,
    pub(super) struck: Vec<Micros>,
    /// It stays off its input until a person resets it.
    pub(in super::super) locked: bool,
    /// Its converter is broken.
    pub(in super::super) failed: bool,
    /// It is kept on its bypass by hand.
    pub(in super::super) held: bool,
    /// It was told to go onto its bypass.
    pub(in super::super) told_bypass: bool,
    /// Its way back to the input will fail.
    pub(in super::super) retransfer_fails: bool,
    /// It was told to switch its output off.
    pub(in super::super) switched_off: bool,
    pub(super) meters: Meters,
}

/// Energy meters of a UPS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meters {
    pub(super) input: Meter,
    pub(super) output: Meter,
    pub(super) battery: Meter,
    pub(super) charger: Meter,
}

impl UpsModel {
    pub(in super::super) fn new(site: &site::Ups, nominal_hz: f64) -> Self {
        let transfer = match (site.transfer, site.class) {
            (Some(transfer), _) => transfer.micros(),
            (None, UpsClass::Vfi) if site.eco => ECO_TRANSFER_US,
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
            state: match site.eco && site.class == UpsClass::Vfi {
                true => UpsState::Eco,
                false => UpsState::Normal,
            },
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
            bypass: site.bypass || site.bypass_from.is_some(),
            bypass_input: usize::from(site.bypass_from.is_some()),
            bypass_good: true,
            bypass_lost_at: None,
            eco: site.eco && site.class == UpsClass::Vfi,
            eco_efficiency: ECO_EFFICIENCY.max(site.efficiency.get()),
            strikes: site
                .strikes
                .as_ref()
                .map(|s| (s.count as usize, s.window.micros())),
            struck: Vec::new(),
            locked: false,
            failed: false,
            held: false,
            told_bypass: false,
            retransfer_fails: false,
            switched_off: false,
            meters: Meters::default(),
        }
    }

    /// Moves through every state that is due and returns its output; `index`
    /// is its own among the buses.
    pub(in super::super) fn react(
        &mut self,
        t_us: Micros,
        inputs: [Output; 2],
        index: usize,
        notes: &mut Notes,
    ) -> Output {
        let objection = self.objection(inputs[0]);
        if objection.is_none() != self.good {
            self.good = objection.is_none();
            self.since = t_us;
            self.line_bads = self.line_bads.saturating_add(u32::from(!self.good));
        }
        self.bypass_good = self.objection(inputs[self.bypass_input]).is_none();
        self.bypass_lost_at = match self.bypass_good {
            true => None,
            false => self.bypass_lost_at.or(Some(t_us + BYPASS_LOST_US)),
        };
        // Every state is entered at most once at one instant, but for the
        // first, so that more rounds than states cannot be needed.
        for _ in 0..8 {
            let Some((to, cause)) = self.next_state(t_us, objection) else {
                break;
            };
            self.enter(t_us, to, cause, notes);
        }
        self.output(inputs, index)
    }

    /// The time for which its output is dead when it leaves the mains now.
    pub(super) fn transfer_time(&self) -> Micros {
        match (self.class, self.state) {
            (UpsClass::Vfi, UpsState::Normal) if self.eco => 0,
            _ => self.transfer_us,
        }
    }

    /// What it says of where its output comes from.
    pub(in super::super) fn status(&self, input_pu: f64, output_pu: f64) -> ReadingStatus {
        let [low, high] = REGULATES_PU;
        match self.state {
            UpsState::Normal | UpsState::Eco if self.class != UpsClass::Vi => ReadingStatus::OnLine,
            UpsState::Normal | UpsState::Eco if !self.good => ReadingStatus::OnLine,
            UpsState::Normal | UpsState::Eco if input_pu < low => ReadingStatus::Boost,
            UpsState::Normal | UpsState::Eco if input_pu > high => ReadingStatus::Trim,
            UpsState::Normal | UpsState::Eco => ReadingStatus::OnLine,
            UpsState::Bypass if output_pu > 0.0 => ReadingStatus::Bypass,
            UpsState::Bypass | UpsState::Off => ReadingStatus::Off,
            // Until all of the load is on mains, some is on the battery.
            _ => ReadingStatus::OnBattery,
        }
    }

    /// The input that its bypass takes.
    pub(in super::super) fn bypass_of(&self, inputs: [Output; 2]) -> Output {
        if self.bypass {
            inputs[self.bypass_input]
        } else {
            Output::DEAD
        }
    }

    /// Seconds on battery, 0 when it is not.
    pub(in super::super) fn on_battery_s(&self, t_us: Micros) -> f64 {
        self.battery_since
            .map_or(0.0, |since| (t_us - since) as f64 / 1e6)
    }

    /// The input voltages that it accepts, per unit.
    pub(in super::super) fn window_pu(&self) -> [f64; 2] {
        [self.window.low.get(), self.window.high.get()]
    }

    /// As a data sheet's headline: `VFI 20kW`.
    pub(in super::super) fn headline(&self) -> String {
        let class = match self.class {
            UpsClass::Vfi => "VFI",
            UpsClass::Vi => "VI",
            UpsClass::Vfd => "VFD",
        };
        format!("{class} {}", Watts(self.rating as f64 / 1e3))
    }
}
