//! Whether energy storage and cooling can be.

use super::super::site;
use super::check::Check;

impl Check<'_> {
    pub(super) fn bess(&mut self, name: &str, it: &site::Bess) {
        let path = |field: &str| format!("bess.{name}.{field}");
        self.positive(path("rating"), it.rating.get());
        self.positive(path("energy"), it.energy.get());
        self.within(path("lowest"), it.lowest.get(), 0.0, 1.0);
        self.within(path("highest"), it.highest.get(), 0.0, 1.0);
        if it.lowest >= it.highest {
            self.say(path("lowest"), "must be below highest");
        }
        self.within(path("charge"), it.charge.get(), 0.0, 1.0);
        self.within(path("health"), it.health.get(), 0.001, 1.0);
        self.within(path("efficiency"), it.efficiency.get(), 0.1, 1.0);
        self.within(path("recharge"), it.recharge.get(), 0.0, 1.0);
        self.within(path("overload"), it.overload.get(), 1.0, 100.0);
        self.within(path("cells"), f64::from(it.cells), 1.0, 1e5);
        self.within(path("drop"), it.drop.get(), 0.0, 0.2);
        for (field, span) in [
            ("transition", it.transition),
            ("resync", it.resync),
            ("heartbeat", it.heartbeat),
            ("initialize", it.initialize),
        ] {
            self.bounded(path(field), span);
        }
        self.positive(path("heartbeat"), it.heartbeat.secs_f64());
    }

    pub(super) fn cooling(&mut self, name: &str, it: &site::Cooling) {
        let path = |field: &str| format!("cooling.{name}.{field}");
        self.positive(path("capacity"), it.capacity.get());
        self.within(path("dropout"), it.dropout.get(), 0.0, 1.0);
        if let Some(swell) = it.swell {
            self.within(path("swell"), swell.get(), 1.0, 5.0);
        }
        self.bounded(path("hold"), it.hold);
        self.bounded(path("restart"), it.restart);
        let room = &it.room;
        self.positive(path("room.time_to_trip"), room.time_to_trip.secs_f64());
        self.bounded(path("room.time_to_trip"), room.time_to_trip);
        let rising = [room.supply, room.warning, room.throttle, room.trip];
        if rising.windows(2).any(|pair| pair[0] >= pair[1]) {
            let problem = "supply, warning, throttle and trip must go up in this order";
            self.say(path("room"), problem);
        }
    }
}
