//! What a machine is, what it draws, and the energy that went into it.

use super::super::bus::Notes;
use super::super::event::{Change, NodeLoad};
use super::super::ledger::{Milliwatts, Nanojoules, milliwatts};
use super::super::psu::{PsuModel, dynamic_share};
use crate::clock::Micros;

/// Clocks while a PSU pulls the power brake.
const BRAKED_CLOCKS: f64 = 0.5;
/// How much of its speed a machine loses when it is held to no power at all.
const CAP_COSTS: f64 = 0.6;

/// Clocks, as a share of nominal, of a machine that is held to a power below its
/// peak.
pub fn capped_clocks(limit: f64, peak: f64) -> f64 {
    1.0 - CAP_COSTS * (1.0 - limit / peak)
}

/// A machine with power supplies on each of its cords. The supplies that have
/// input share its load, and their hold-up energy is one store.
#[derive(Clone, Debug)]
pub(in super::super) struct NodeModel {
    /// Its name.
    pub(in super::super) name: String,
    /// Its rack.
    pub(in super::super) rack: usize,
    /// The PDU behind each cord.
    pub(in super::super) cords: Vec<usize>,
    /// The outlet of each cord.
    pub(in super::super) outlets: Vec<usize>,
    /// What it draws from each cord.
    pub(in super::super) drawn: Vec<Milliwatts>,
    /// Cuts in force.
    pub(in super::super) cuts: u32,
    /// It runs.
    pub(in super::super) powered: bool,
    /// What it draws when idle.
    pub(in super::super) idle: Milliwatts,
    /// What it draws at most.
    pub(in super::super) peak: Milliwatts,
    /// Its power supplies.
    pub(in super::super) psu: PsuModel,
    /// Supplies that have failed, one bit each.
    pub(super) failed: u64,
    pub(super) utilisation: f64,
    pub(super) line_clocks: f64,
    pub(super) psu_brake: bool,
    /// Clocks that the heat leaves it.
    pub(super) heat_clocks: f64,
    /// The heat keeps it off.
    pub(super) too_hot: bool,
    /// It was told to be off.
    pub(super) switched_off: bool,
    /// What it is held to.
    pub(in super::super) limit: Option<Milliwatts>,
    pub(super) over_since: Option<Micros>,
    pub(super) fine_since: Option<Micros>,
    /// Redfish `LastResetCause`; empty before the first.
    pub(in super::super) reset_cause: &'static str,
    pub(super) died_of: &'static str,
    pub(super) surge_until: Option<Micros>,
    pub(super) on_hold_up: bool,
    pub(super) store: Nanojoules,
    delivered: Nanojoules,
    pub(super) since: Micros,
    pub(super) power: Milliwatts,
    pub(super) recharge: Milliwatts,
}

impl NodeModel {
    /// A machine on these buses and their outlets.
    pub(in super::super) fn new(
        load: &NodeLoad,
        rack: usize,
        (cords, outlets): (Vec<usize>, Vec<usize>),
        psu: PsuModel,
    ) -> Self {
        let idle = milliwatts(load.idle.get());
        let mut node = Self {
            name: load.name.clone(),
            rack,
            drawn: vec![0; cords.len()],
            cords,
            outlets,
            cuts: 0,
            powered: true,
            idle,
            peak: milliwatts(load.peak.get()),
            psu,
            failed: 0,
            utilisation: 0.0,
            line_clocks: 1.0,
            psu_brake: false,
            heat_clocks: 1.0,
            too_hot: false,
            switched_off: false,
            limit: None,
            over_since: None,
            fine_since: None,
            reset_cause: "",
            died_of: "",
            surge_until: None,
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

    pub(super) fn full(&self) -> Nanojoules {
        let supplies = self.cords.len() * self.psu.per_cord;
        Nanojoules::from(self.psu.hold_up) * supplies as Nanojoules
    }

    /// Working supplies on a cord.
    pub(super) fn healthy(&self, cord: usize) -> usize {
        let per_cord = self.psu.per_cord;
        if self.failed == 0 {
            return per_cord;
        }
        let supplies = cord * per_cord..(cord + 1) * per_cord;
        supplies.filter(|supply| self.works(*supply)).count()
    }

    /// A supply works, whether or not it has input.
    pub(in super::super) fn works(&self, supply: usize) -> bool {
        supply >= 64 || self.failed >> supply & 1 == 0
    }

    /// Supplies with input; none where there are fewer than it needs.
    pub(super) fn live(&self, inputs: &[f64]) -> usize {
        let has_input = |(cord, v): (usize, &f64)| match self.psu.live(*v) {
            true => self.healthy(cord),
            false => 0,
        };
        let live: usize = inputs.iter().enumerate().map(has_input).sum();
        if live >= self.psu.needed { live } else { 0 }
    }

    /// Clocks that brakes and heat leave it, whatever it is held to.
    pub(super) fn brake_clocks(&self) -> f64 {
        let brake = if self.psu_brake { BRAKED_CLOCKS } else { 1.0 };
        self.line_clocks.min(brake).min(self.heat_clocks)
    }

    /// Clocks as a share of nominal.
    pub(in super::super) fn clocks(&self) -> f64 {
        let cap = self.limit.filter(|limit| *limit < self.peak);
        let cap = cap.map_or(1.0, |limit| capped_clocks(limit as f64, self.peak as f64));
        self.brake_clocks().min(cap)
    }

    /// A brake holds its clocks down, not only a limit of its power.
    pub(in super::super) fn braked(&self) -> bool {
        self.brake_clocks() < 1.0
    }

    /// What it takes from its power supplies.
    pub(in super::super) fn power(&self) -> Milliwatts {
        self.power
    }

    /// What it would take at these clocks, apart from a surge.
    pub(super) fn power_at(&self, clocks: f64) -> Milliwatts {
        if !self.powered {
            return 0;
        }
        let dynamic = (self.peak - self.idle) as f64 * self.utilisation;
        let power = self.idle + (dynamic * dynamic_share(clocks)).round() as Milliwatts;
        self.limit.map_or(power, |limit| power.min(limit))
    }

    /// What it takes now. A limit alone leaves its dynamic power as it is, up
    /// to the limit.
    pub(super) fn power_now(&self) -> Milliwatts {
        let power = self.power_at(self.brake_clocks());
        match (self.surge_until, self.psu.surge) {
            (Some(_), Some((factor, _))) => (power as f64 * factor).round() as Milliwatts,
            _ => power,
        }
    }

    /// Its work changed; a dead machine does none.
    pub(in super::super) fn work(&mut self, utilisation: f64) {
        if self.powered {
            let is_number = !utilisation.is_nan();
            self.utilisation = if is_number {
                utilisation.clamp(0.0, 1.0)
            } else {
                0.0
            };
        }
    }

    pub(super) fn tell_clocks(&self, before: f64, cause: &str, notes: &mut Notes) {
        let clocks = self.clocks();
        if clocks != before {
            notes.push((cause.to_string(), Change::Brake { clocks }));
        }
    }

    /// Books the energy since it was last looked at.
    pub(super) fn settle(&mut self, t_us: Micros) {
        let dt = Nanojoules::from(t_us - self.since);
        let power = Nanojoules::from(self.power) * dt;
        self.delivered += power;
        if self.on_hold_up {
            self.store -= power;
        }
        self.store += Nanojoules::from(self.recharge) * dt;
        self.since = t_us;
    }

    /// Energy until `t_us`: delivered to the machine, and the change of its
    /// hold-up store since time 0.
    pub(in super::super) fn energy(&self, t_us: Micros) -> (Nanojoules, Nanojoules) {
        let mut now = self.clone();
        now.settle(t_us);
        (now.delivered, now.store - now.full())
    }
}
