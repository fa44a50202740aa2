//! What flows through a BESS.

use super::super::event::BessState;
use super::super::ledger::{Milliwatts, Nanojoules, time_for, watt_hours};
use super::super::lfp;
use super::super::timers::earlier;
use super::model::{BessModel, OVERLOAD_US};
use crate::clock::Micros;
use crate::telemetry::{BessMode, BessReading, BessStatus};

impl BessModel {
    /// Takes the load at its bus, where there is voltage or not, and returns
    /// what it draws from the grid.
    pub(in super::super) fn carry(
        &mut self,
        t_us: Micros,
        load: Milliwatts,
        dead: bool,
    ) -> Milliwatts {
        self.settle(t_us);
        self.ac = self.gives(load, dead);
        let efficiency = self.site.efficiency.get();
        self.dc = if self.ac >= 0 {
            (self.ac as f64 / efficiency).round() as Milliwatts
        } else {
            (self.ac as f64 * efficiency).round() as Milliwatts
        };
        self.floor = self.stops_at(self.dc.max(0));
        let forms = self.state == BessState::Forming;
        let shares = [1.0, self.site.overload.get()];
        for (since, share) in self.over.iter_mut().zip(shares) {
            let over = forms && self.ac as f64 > share * self.rating as f64;
            *since = if over { since.or(Some(t_us)) } else { None };
        }
        let draw = load - self.ac;
        self.meters.input.set(t_us, draw);
        self.meters.output.set(t_us, load);
        self.meters.discharged.set(t_us, self.dc.max(0));
        self.meters.charged.set(t_us, (-self.dc).max(0));
        draw
    }

    /// What it gives to its bus: all of the load where it forms; what it was
    /// told where it follows, but nothing to the grid; else it recharges.
    fn gives(&self, load: Milliwatts, dead: bool) -> Milliwatts {
        match self.state {
            BessState::Forming => load,
            BessState::Following if dead || !self.closed => 0,
            BessState::Following => match self.set {
                Some(set) if set > 0 && self.can_discharge() => set.min(load),
                Some(set) if set > 0 => 0,
                Some(set) if self.can_charge() => set,
                Some(_) => 0,
                None if self.can_charge() && self.grid_good => {
                    -((self.rating as f64 * self.site.recharge.get()).round() as Milliwatts)
                }
                None => 0,
            },
            _ => 0,
        }
    }

    fn can_charge(&self) -> bool {
        self.store < self.highest()
    }

    fn highest(&self) -> Nanojoules {
        (self.site.highest.get() * self.capacity as f64).round() as Nanojoules
    }

    /// The charge at which it stops at this power: its lower limit, or where
    /// its cells are at their cut-off voltage.
    fn stops_at(&self, dc: Milliwatts) -> Nanojoules {
        let watts = dc as f64 / 1e3;
        let cell = |charge: f64| self.terminal_at(charge, watts).0 / f64::from(self.site.cells);
        let mut low = self.site.lowest.get();
        if cell(low) < lfp::CUT_OFF_V {
            let mut high = 1.0;
            for _ in 0..40 {
                let middle = (low + high) / 2.0;
                if cell(middle) < lfp::CUT_OFF_V {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        (low * self.capacity as f64).round() as Nanojoules
    }

    fn stored(&self, t_us: Micros) -> Nanojoules {
        self.store - Nanojoules::from(self.dc) * Nanojoules::from(t_us - self.since)
    }

    /// Books what has flowed; it is due before the charge has left its limits.
    pub(super) fn settle(&mut self, t_us: Micros) {
        self.store = self.stored(t_us);
        self.since = t_us;
    }

    /// True charge, 0 to 1.
    pub(in super::super) fn charge(&self, t_us: Micros) -> f64 {
        (self.stored(t_us) as f64 / self.capacity.max(1) as f64).clamp(0.0, 1.0)
    }

    /// Nominal energy in watt-hours.
    pub(in super::super) fn energy_wh(&self) -> f64 {
        self.site.energy.get()
    }

    /// What it shows of itself, beside what its bus does.
    pub(in super::super) fn reading(&self, t_us: Micros) -> BessReading {
        use BessState as S;
        let (dc_v, dc_a) = self.terminal(t_us);
        let cell_v = dc_v / f64::from(self.site.cells);
        let through = [&self.meters.discharged, &self.meters.charged];
        BessReading {
            t_us,
            status: match self.state {
                S::Disconnected => BessStatus::Disconnected,
                S::Initializing => BessStatus::Initializing,
                S::Standby => BessStatus::Standby,
                S::Following | S::Starting | S::Forming => BessStatus::Connected,
                S::Fault => BessStatus::Fault,
            },
            mode: match self.state {
                S::Starting | S::Forming => BessMode::Forming,
                _ => BessMode::Following,
            },
            islanded: !self.closed,
            w: self.ac as f64 / 1e3,
            set_w: self.set.map(|set| set as f64 / 1e3),
            rating_w: self.rating as f64 / 1e3,
            energy_wh: self.energy_wh(),
            charge: self.charge(t_us),
            health: self.site.health.get(),
            limits: [self.site.lowest.get(), self.site.highest.get()],
            dc_v,
            dc_a,
            cell_v: [cell_v; 2],
            temperature_c: 25.0,
            through_wh: through.map(|meter| watt_hours(meter.read(t_us))),
            black_start: self.site.black_start,
            controller_heard: self.heard,
            fault: self.fault.to_string(),
            ..BessReading::default()
        }
    }

    /// Voltage and current of its string, positive when discharging.
    fn terminal(&self, t_us: Micros) -> (f64, f64) {
        self.terminal_at(self.charge(t_us), self.dc as f64 / 1e3)
    }

    fn terminal_at(&self, charge: f64, dc_w: f64) -> (f64, f64) {
        let cells = f64::from(self.site.cells);
        let open = lfp::cell_ocv(0.5);
        let watts = self.rating as f64 / 1e3;
        // A share of the voltage is lost at rated power and half charge.
        let ohms = self.site.drop.get() * open * open * cells / watts;
        lfp::terminal(cells, ohms, charge, dc_w)
    }

    /// Energy until `t_us`: charged, discharged, lost.
    pub(in super::super) fn energy(&self, t_us: Micros) -> (Nanojoules, Nanojoules, Nanojoules) {
        let charged = self.meters.charged.read(t_us);
        let discharged = self.meters.discharged.read(t_us);
        let input = self.meters.input.read(t_us);
        let lost = input + discharged - charged - self.meters.output.read(t_us);
        (charged, discharged, lost)
    }

    /// When it wants to be looked at again.
    pub(in super::super) fn next_due(&self) -> Option<Micros> {
        use BessState as S;
        let state = match self.state {
            S::Initializing => Some(self.site.initialize.micros()),
            S::Starting => Some(self.transition_us()),
            _ => None,
        };
        let state = state.map(|after| self.entered.saturating_add(after));
        let resync = !self.closed && self.told_close && self.grid_good;
        let resync = resync.then(|| self.grid_since.saturating_add(self.resync_us()));
        let heard = self.heard_at.filter(|_| self.heard);
        let heartbeat = heard.map(|at| at.saturating_add(self.site.heartbeat.micros()));
        let after = |since: Option<Micros>, delay: Micros| since.map(|s| s.saturating_add(delay));
        let [long, short] = OVERLOAD_US;
        let over = earlier(after(self.over[0], long), after(self.over[1], short));
        let left = match self.dc {
            0 => None,
            dc if dc > 0 => Some(time_for(self.store - self.floor, dc)),
            dc => Some(time_for(self.highest() - self.store, -dc)),
        };
        let charge = left.map(|dt| self.since.saturating_add(dt));
        [state, resync, heartbeat, over]
            .into_iter()
            .fold(charge, earlier)
    }
}
