//! Whether each component of a site can be.

use super::super::event::NodeLoad;
use super::super::site;
use super::check::{Check, unknown};

impl Check<'_> {
    pub(super) fn nominal(&mut self) {
        let nominal = &self.site.nominal;
        self.positive("nominal.voltage".to_string(), nominal.voltage.get());
        self.positive("nominal.frequency".to_string(), nominal.frequency.get());
    }

    pub(super) fn profile(&mut self, name: &str, utility: &site::Utility) {
        for (i, step) in utility.profile.iter().enumerate() {
            let path = |field: &str| format!("utilities.{name}.profile.{i}.{field}");
            self.within(path("voltage"), step.voltage.get(), 0.0, 5.0);
            self.bounded(path("at"), step.at);
            if let Some(frequency) = step.frequency {
                self.positive(path("frequency"), frequency.get());
            }
            if i > 0 && utility.profile[i - 1].at >= step.at {
                self.say(path("at"), "must be later than the step before");
            }
        }
    }

    pub(super) fn ups(&mut self, name: &str, ups: &site::Ups) {
        let path = |field: &str| format!("ups.{name}.{field}");
        self.positive(path("rating"), ups.rating.get());
        self.within(path("efficiency"), ups.efficiency.get(), 0.1, 1.0);
        self.bounded(path("transfer"), ups.transfer.unwrap_or_default());
        self.bounded(path("disqualify"), ups.disqualify);
        self.bounded(path("requalify"), ups.requalify);
        self.bounded(path("walk_in"), ups.walk_in);
        let window = &ups.input_window;
        self.within(path("input_window.low"), window.low.get(), 0.1, 1.0);
        self.within(path("input_window.high"), window.high.get(), 1.0, 5.0);
        if ups.bypass_from.as_ref() == Some(&ups.from) {
            self.say(path("bypass_from"), "is its input; write `bypass: true`");
        }
        if ups.eco && ups.class != site::UpsClass::Vfi {
            self.say(path("eco"), "only a double-conversion UPS has it");
        }
        if let Some(strikes) = &ups.strikes {
            self.within(path("strikes.count"), f64::from(strikes.count), 1.0, 1e3);
            self.bounded(path("strikes.window"), strikes.window);
        }
    }

    pub(super) fn battery(&mut self, name: &str, battery: &site::Battery) {
        let path = |field: &str| format!("ups.{name}.battery.{field}");
        self.positive(path("energy"), battery.energy.get());
        if let Some(runtime) = battery.runtime {
            self.positive(path("runtime"), runtime.secs_f64());
            self.bounded(path("runtime"), runtime);
        }
        self.within(path("exponent"), battery.exponent, 0.5, 3.0);
        self.within(path("charge"), battery.charge.get(), 0.0, 1.0);
        self.within(path("health"), battery.health.get(), 0.001, 1.0);
        self.within(path("charger"), battery.charger.get(), 0.0, 10.0);
        let death = battery.sudden_death_at.get();
        self.within(path("sudden_death_at"), death, 0.0, 0.999);
        self.within(path("charge_low"), battery.charge_low.get(), 0.0, 1.0);
        for (i, point) in battery.curve.iter().enumerate() {
            self.positive(path(&format!("curve.{i}.power")), point.power.get());
            self.positive(
                path(&format!("curve.{i}.runtime")),
                point.runtime.secs_f64(),
            );
            let rises = i > 0 && battery.curve[i - 1].power >= point.power;
            let lasts = i > 0 && battery.curve[i - 1].runtime <= point.runtime;
            if rises || lasts {
                let problem = "points must go up in power and down in runtime";
                self.say(path(&format!("curve.{i}")), problem);
            }
        }
    }

    pub(super) fn breaker(&mut self, name: &str, breaker: &site::Breaker) {
        let path = |field: &str| format!("pdus.{name}.breaker.{field}");
        self.positive(path("rating"), breaker.rating.get());
        self.positive(path("pickup"), breaker.pickup.get());
        self.bounded(path("pickup_delay"), breaker.pickup_delay);
        if breaker.instantaneous < breaker.pickup {
            self.say(path("instantaneous"), "must not be below the pickup");
        }
    }

    pub(super) fn rack(&mut self, name: &str, rack: &site::Rack) {
        let path = |field: &str| format!("racks.{name}.{field}");
        if !(1..=2).contains(&rack.cords.len()) {
            let problem = format!("has {} cords; must have one or two", rack.cords.len());
            self.say(path("cords"), problem);
        }
        for cord in &rack.cords {
            if !self.site.pdus.contains_key(cord) {
                self.say(path("cords"), unknown("pdu", cord, self.site.pdus.keys()));
            }
        }
        self.bounded(path("stagger"), rack.stagger);
        self.positive(path("psu.rating"), rack.psu.rating.get());
        self.within(path("psu.hold_up"), rack.psu.hold_up.get(), 0.0, 1e9);
        self.within(path("psu.dropout"), rack.psu.dropout.get(), 0.0, 1.0);
        self.positive(path("psu.current_limit"), rack.psu.current_limit.get());
        let supplies = rack.psu.per_cord as usize * rack.cords.len();
        self.within(
            path("psu.per_cord"),
            f64::from(rack.psu.per_cord),
            1.0,
            16.0,
        );
        if !(1..=supplies.max(1)).contains(&(rack.psu.needed as usize)) {
            let problem = format!("is {}; the machine has {supplies}", rack.psu.needed);
            self.say(path("psu.needed"), problem);
        }
        if let Some(surge) = &rack.psu.surge {
            self.within(path("psu.surge.factor"), surge.factor, 1.0, 100.0);
            self.bounded(path("psu.surge.for"), surge.lasts);
        }
        if let Some(bbu) = &rack.bbu {
            self.bbu(name, bbu);
        }
    }

    fn bbu(&mut self, name: &str, bbu: &site::Bbu) {
        let path = |field: &str| format!("racks.{name}.bbu.{field}");
        self.positive(path("rating"), bbu.rating.get());
        self.positive(path("runtime"), bbu.runtime.secs_f64());
        if let Some(energy) = bbu.energy {
            self.positive(path("energy"), energy.get());
        }
        self.within(path("charger"), bbu.charger.get(), 0.0, 10.0);
        self.within(path("charge"), bbu.charge.get(), 0.0, 1.0);
        self.within(path("health"), bbu.health.get(), 0.001, 1.0);
        for (field, span) in [
            ("runtime", bbu.runtime),
            ("trigger", bbu.trigger),
            ("start", bbu.start),
            ("release", bbu.release),
        ] {
            self.bounded(path(field), span);
        }
    }

    pub(super) fn load(&mut self, load: &NodeLoad) {
        let path = |field: &str| format!("nodes.{}.{field}", load.name);
        if !self.site.racks.contains_key(&load.rack) {
            self.say(
                path("rack"),
                unknown("rack", &load.rack, self.site.racks.keys()),
            );
        }
        self.within(path("idle"), load.idle.get(), 0.0, 1e9);
        self.within(path("peak"), load.peak.get(), 0.0, 1e9);
        if load.peak < load.idle {
            self.say(path("peak"), "must not be below idle");
        }
    }
}
