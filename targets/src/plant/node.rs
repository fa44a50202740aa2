//! A machine: its power supplies, what it draws, and whether it lives.

use super::bus::Notes;
use super::event::{Change, NodeLoad};
use super::ledger::{Milliwatts, Nanojoules, milliwatts};
use super::psu::{OVERCURRENT_US, PsuModel, RELEASE_US, dynamic_share};
use super::timers::earlier;
use crate::clock::Micros;
use crate::units::Span;

/// Clocks while a PSU pulls the power brake.
const BRAKED_CLOCKS: f64 = 0.5;

/// A machine with one power supply per cord. The supplies that have input
/// share its load, and their hold-up energy is one store.
#[derive(Clone, Debug)]
pub(super) struct NodeModel {
    /// Its name.
    pub(super) name: String,
    /// Its rack.
    pub(super) rack: usize,
    /// The PDU behind each cord.
    pub(super) cords: Vec<usize>,
    /// What it draws from each cord.
    pub(super) drawn: Vec<Milliwatts>,
    /// Cuts in force.
    pub(super) cuts: u32,
    /// It runs.
    pub(super) powered: bool,
    /// What it draws when idle.
    pub(super) idle: Milliwatts,
    /// What it draws at most.
    pub(super) peak: Milliwatts,
    /// Its power supplies.
    pub(super) psu: PsuModel,
    utilisation: f64,
    line_clocks: f64,
    psu_brake: bool,
    over_since: Option<Micros>,
    fine_since: Option<Micros>,
    /// Redfish `LastResetCause`; empty before the first.
    pub(super) reset_cause: &'static str,
    on_hold_up: bool,
    store: Nanojoules,
    delivered: Nanojoules,
    since: Micros,
    power: Milliwatts,
    recharge: Milliwatts,
}

impl NodeModel {
    pub(super) fn new(load: &NodeLoad, rack: usize, cords: Vec<usize>, psu: PsuModel) -> Self {
        let idle = milliwatts(load.idle.get());
        let mut node = Self {
            name: load.name.clone(),
            rack,
            drawn: vec![0; cords.len()],
            cords,
            cuts: 0,
            powered: true,
            idle,
            peak: milliwatts(load.peak.get()),
            psu,
            utilisation: 0.0,
            line_clocks: 1.0,
            psu_brake: false,
            over_since: None,
            fine_since: None,
            reset_cause: "",
            on_hold_up: false,
            store: 0,
            delivered: 0,
            since: 0,
            power: idle,
            recharge: 0,
        };
        node.store = node.full();
        node
    }

    fn full(&self) -> Nanojoules {
        Nanojoules::from(self.psu.hold_up) * self.cords.len() as Nanojoules
    }

    /// Clocks as a share of nominal.
    pub(super) fn clocks(&self) -> f64 {
        if self.psu_brake {
            self.line_clocks.min(BRAKED_CLOCKS)
        } else {
            self.line_clocks
        }
    }

    /// What it takes from its power supplies.
    pub(super) fn power(&self) -> Milliwatts {
        self.power
    }

    fn power_at(&self, clocks: f64) -> Milliwatts {
        if !self.powered {
            return 0;
        }
        let dynamic = (self.peak - self.idle) as f64 * self.utilisation;
        self.idle + (dynamic * dynamic_share(clocks)).round() as Milliwatts
    }

    /// Its work changed; a dead machine does none.
    pub(super) fn work(&mut self, utilisation: f64) {
        if self.powered {
            let is_number = !utilisation.is_nan();
            self.utilisation = if is_number {
                utilisation.clamp(0.0, 1.0)
            } else {
                0.0
            };
        }
    }

    /// Its power-brake line is pulled or let go from outside.
    pub(super) fn brake_line(&mut self, clocks: f64, notes: &mut Notes) {
        let before = self.clocks();
        self.line_clocks = if clocks.is_nan() {
            1.0
        } else {
            clocks.clamp(0.0, 1.0)
        };
        self.tell_clocks(before, "power-brake line", notes);
    }

    fn tell_clocks(&self, before: f64, cause: &str, notes: &mut Notes) {
        let clocks = self.clocks();
        if clocks != before {
            notes.push((cause.to_string(), Change::Brake { clocks }));
        }
    }

    /// Books the energy since it was last looked at.
    fn settle(&mut self, t_us: Micros) {
        let dt = Nanojoules::from(t_us - self.since);
        let power = Nanojoules::from(self.power) * dt;
        self.delivered += power;
        if self.on_hold_up {
            self.store -= power;
        }
        self.store += Nanojoules::from(self.recharge) * dt;
        self.since = t_us;
    }

    /// Handles what is due with these input voltages, one per cord, and works
    /// out what it draws from each.
    pub(super) fn react(&mut self, t_us: Micros, inputs: &[f64], notes: &mut Notes) {
        self.settle(t_us);
        let live = inputs.iter().filter(|v| self.psu.live(**v)).count();
        if self.powered {
            self.hold_up(live, notes);
        }
        if self.powered {
            self.limit_current(t_us, inputs, live, notes);
        }
        self.power = self.power_at(self.clocks());
        let refill = self.powered && live > 0 && self.store < self.full();
        self.recharge = if refill {
            self.psu.recharge() * live as Milliwatts
        } else {
            0
        };
        self.draw(inputs, live);
    }

    fn hold_up(&mut self, live: usize, notes: &mut Notes) {
        self.power = self.power_at(self.clocks());
        let left = Span::from_micros(self.left_us().unwrap_or(86_400_000_000));
        if !self.on_hold_up && live == 0 {
            self.on_hold_up = true;
            let change = Change::HoldUp { active: true, left };
            notes.push(("no input above dropout".to_string(), change));
        }
        if self.on_hold_up && self.store <= 0 {
            self.die(notes);
        } else if self.on_hold_up && live > 0 {
            self.on_hold_up = false;
            let change = Change::HoldUp {
                active: false,
                left,
            };
            notes.push(("input back".to_string(), change));
        }
    }

    fn die(&mut self, notes: &mut Notes) {
        let before = self.clocks();
        self.powered = false;
        self.on_hold_up = false;
        self.utilisation = 0.0;
        self.psu_brake = false;
        self.over_since = None;
        self.fine_since = None;
        let change = Change::NodePower { on: false };
        notes.push(("hold-up exhausted".to_string(), change));
        self.tell_clocks(before, "power supplies off", notes);
    }

    /// Its power supplies deliver again.
    pub(super) fn power_on(&mut self, t_us: Micros, notes: &mut Notes) {
        self.settle(t_us);
        self.powered = true;
        self.reset_cause = "PowerEvent";
        notes.push(("input good".to_string(), Change::NodePower { on: true }));
    }

    fn limit_current(&mut self, t_us: Micros, inputs: &[f64], live: usize, notes: &mut Notes) {
        let before = self.clocks();
        let lowest = inputs
            .iter()
            .copied()
            .filter(|v| self.psu.live(*v))
            .fold(f64::INFINITY, f64::min);
        let over = live > 0 && self.psu.over_limit(self.power_at(before), live, lowest);
        let unbraked = self.power_at(self.line_clocks);
        let fine = live > 0 && self.psu.well_inside(unbraked, live, lowest);
        let watch = |since: Option<Micros>, is: bool| if is { since.or(Some(t_us)) } else { None };
        self.over_since = watch(self.over_since, over && !self.psu_brake);
        self.fine_since = watch(self.fine_since, fine && self.psu_brake);
        if self.over_since.is_some_and(|s| s + OVERCURRENT_US <= t_us) {
            self.psu_brake = true;
            self.over_since = None;
            self.tell_clocks(before, "input current over limit", notes);
        } else if self.fine_since.is_some_and(|s| s + RELEASE_US <= t_us) {
            self.psu_brake = false;
            self.fine_since = None;
            self.tell_clocks(before, "input current inside limit", notes);
        }
    }

    fn draw(&mut self, inputs: &[f64], live: usize) {
        let total = if live > 0 {
            self.power + self.recharge
        } else {
            0
        };
        let share = total.checked_div(live as Milliwatts).unwrap_or(0);
        let mut rest = total - share * live as Milliwatts;
        for (drawn, v) in self.drawn.iter_mut().zip(inputs) {
            *drawn = if self.psu.live(*v) {
                share + std::mem::take(&mut rest)
            } else {
                0
            };
        }
    }

    /// How long the hold-up energy lasts; nothing when nothing is drawn.
    fn left_us(&self) -> Option<Micros> {
        if self.power <= 0 {
            return None;
        }
        Some(time_for(self.store, self.power))
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        let after = |since: Option<Micros>, delay: Micros| since.map(|s| s.saturating_add(delay));
        let store = if self.on_hold_up {
            self.left_us()
        } else if self.recharge > 0 {
            Some(time_for(self.full() - self.store, self.recharge))
        } else {
            None
        };
        let brake = earlier(
            after(self.over_since, OVERCURRENT_US),
            after(self.fine_since, RELEASE_US),
        );
        earlier(store.map(|dt| self.since.saturating_add(dt)), brake)
    }

    /// Energy until `t_us`: delivered to the machine, and the change of its
    /// hold-up store since time 0.
    pub(super) fn energy(&self, t_us: Micros) -> (Nanojoules, Nanojoules) {
        let mut now = self.clone();
        now.settle(t_us);
        (now.delivered, now.store - now.full())
    }

    /// A dead machine with a good input.
    pub(super) fn waits(&self, inputs: &[f64]) -> bool {
        !self.powered && inputs.iter().any(|v| self.psu.live(*v))
    }
}

/// Whole microseconds, rounded up, for an energy at a power.
fn time_for(energy: Nanojoules, power: Milliwatts) -> Micros {
    let power = Nanojoules::from(power);
    let dt = (energy + power - 1).div_euclid(power).max(0);
    Micros::try_from(dt).unwrap_or(Micros::MAX)
}
