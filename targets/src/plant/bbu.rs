//! The battery backup unit of a rack's power shelf: it takes over when the
//! shelf's bus has been low for a few milliseconds, and holds an energy.

use std::collections::BTreeMap;

use super::battery::CHARGE_EFFICIENCY;
use super::bus::Notes;
use super::event::{BbuState, Change};
use super::ledger::{Milliwatts, Nanojoules, milliwatts, time_for};
use super::site;
use super::timers::earlier;
use crate::clock::Micros;

/// A battery backup unit.
#[derive(Clone, Debug)]
pub(super) struct BbuModel {
    capacity: Nanojoules,
    /// State of health, 1 is new.
    pub(super) health: f64,
    charger: Milliwatts,
    trigger_us: Micros,
    release_us: Micros,
    /// Its state.
    pub(super) state: BbuState,
    /// What each machine without input draws.
    asking: BTreeMap<usize, Milliwatts>,
    /// Since when there has been one, or none.
    turned: Micros,
    store: Nanojoules,
    since: Micros,
    out: Milliwatts,
    into: Milliwatts,
    /// What it draws from each cord of the rack to charge.
    pub(super) drawn: Vec<Milliwatts>,
    discharged: Nanojoules,
    charged: Nanojoules,
    lost: Nanojoules,
}

impl BbuModel {
    pub(super) fn new(site: &site::Bbu, cords: usize) -> Self {
        let by_runtime = site.rating.get() * site.runtime.secs_f64() / 3_600.0;
        let energy = site.energy.map_or(by_runtime, |energy| energy.get());
        let capacity = (energy * site.health.get() * 3.6e12).round() as Nanojoules;
        Self {
            capacity,
            health: site.health.get(),
            charger: milliwatts(site.charger.get() * site.rating.get()),
            trigger_us: site.trigger.micros() + site.start.micros(),
            release_us: site.release.micros(),
            state: BbuState::Standby,
            asking: BTreeMap::new(),
            turned: 0,
            store: (capacity as f64 * site.charge.get()).round() as Nanojoules,
            since: 0,
            out: 0,
            into: 0,
            drawn: vec![0; cords],
            discharged: 0,
            charged: 0,
            lost: 0,
        }
    }

    /// A machine has no input and draws so much, or has one.
    pub(super) fn hear(&mut self, t_us: Micros, node: usize, asks: Option<Milliwatts>) {
        let was = self.asking.is_empty();
        match asks {
            Some(power) => self.asking.insert(node, power),
            None => self.asking.remove(&node),
        };
        if self.asking.is_empty() != was {
            self.turned = t_us;
        }
    }

    /// The machines without input.
    pub(super) fn dark(&self) -> Vec<usize> {
        self.asking.keys().copied().collect()
    }

    /// It carries the machines without input.
    pub(super) fn delivers(&self) -> bool {
        self.state == BbuState::Discharging
    }

    fn settle(&mut self, t_us: Micros) {
        let dt = Nanojoules::from(t_us - self.since);
        let out = Nanojoules::from(self.out) * dt;
        let drawn = Nanojoules::from(self.drawn.iter().sum::<Milliwatts>()) * dt;
        let into = Nanojoules::from(self.into) * dt;
        self.store += into - out;
        self.discharged += out;
        self.charged += into;
        self.lost += drawn - into;
        self.since = t_us;
    }

    /// Handles what is due; `live` says which cords have voltage.
    pub(super) fn react(&mut self, t_us: Micros, live: &[bool], notes: &mut Notes) {
        self.settle(t_us);
        let asked = !self.asking.is_empty();
        let for_us = t_us - self.turned;
        let charges = !asked && self.store < self.capacity && live.contains(&true);
        let (to, cause) = match self.state {
            BbuState::Discharging if self.store <= 0 => (BbuState::Empty, "nothing left"),
            BbuState::Discharging if asked || for_us < self.release_us => {
                (BbuState::Discharging, "")
            }
            BbuState::Empty if asked => (BbuState::Empty, ""),
            _ if asked && self.store > 0 && for_us >= self.trigger_us => {
                (BbuState::Discharging, "bus low")
            }
            state if asked => (state, ""),
            _ if charges => (BbuState::Charging, "bus good"),
            _ if self.store <= 0 => (BbuState::Empty, "nothing left"),
            _ => (BbuState::Standby, "at rest"),
        };
        if to != self.state {
            let (from, charge) = (self.state, self.charge_at(0));
            self.state = to;
            notes.push((cause.to_string(), Change::Bbu { from, to, charge }));
        }
        self.flow(charges && to == BbuState::Charging, live);
    }

    fn flow(&mut self, charges: bool, live: &[bool]) {
        self.out = if self.delivers() {
            self.asking.values().sum()
        } else {
            0
        };
        let count = live.iter().filter(|live| **live).count() as Milliwatts;
        let share = if charges && count > 0 {
            self.charger / count
        } else {
            0
        };
        for (drawn, live) in self.drawn.iter_mut().zip(live) {
            *drawn = if *live { share } else { 0 };
        }
        let drawn: Milliwatts = self.drawn.iter().sum();
        self.into = (drawn as f64 * CHARGE_EFFICIENCY).round() as Milliwatts;
    }

    fn charge_at(&self, dt_us: Micros) -> f64 {
        let flow = Nanojoules::from(self.into - self.out) * Nanojoules::from(dt_us);
        ((self.store + flow) as f64 / self.capacity.max(1) as f64).clamp(0.0, 1.0)
    }

    /// True charge, 0 to 1.
    pub(super) fn charge(&self, t_us: Micros) -> f64 {
        self.charge_at(t_us - self.since)
    }

    /// Nominal energy in watt-hours.
    pub(super) fn energy_wh(&self) -> f64 {
        self.capacity as f64 / self.health / 3.6e12
    }

    /// Energy until `t_us`: charged, discharged, lost.
    pub(super) fn energy(&self, t_us: Micros) -> (Nanojoules, Nanojoules, Nanojoules) {
        let mut now = self.clone();
        now.settle(t_us);
        (now.charged, now.discharged, now.lost)
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        let asked = !self.asking.is_empty();
        let turn = match self.state {
            BbuState::Discharging if !asked => Some(self.release_us),
            BbuState::Standby | BbuState::Charging if asked => Some(self.trigger_us),
            _ => None,
        };
        let turn = turn.map(|after| self.turned.saturating_add(after));
        let store = if self.out > 0 {
            Some(time_for(self.store, self.out))
        } else if self.into > 0 {
            Some(time_for(self.capacity - self.store, self.into))
        } else {
            None
        };
        earlier(turn, store.map(|dt| self.since.saturating_add(dt)))
    }
}
