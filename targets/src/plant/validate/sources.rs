//! Whether generators and transfer switches can be.

use super::super::site;
use super::check::Check;

impl Check<'_> {
    pub(super) fn generator(&mut self, name: &str, it: &site::Generator) {
        let path = |field: &str| format!("generators.{name}.{field}");
        self.positive(path("rating"), it.rating.get());
        self.within(path("start_below"), it.start_below.get(), 0.1, 1.0);
        self.within(path("attempts"), f64::from(it.attempts), 1.0, 100.0);
        self.positive(path("overload"), it.overload.get());
        self.within(path("step_dip"), it.step_dip.get(), 0.0, 1.0);
        self.positive(path("recovery"), it.recovery.secs_f64());
        for (field, span) in [
            ("sense", it.sense),
            ("crank", it.crank),
            ("crank_limit", it.crank_limit),
            ("rest", it.rest),
            ("trip_after", it.trip_after.unwrap_or_default()),
            ("overload_delay", it.overload_delay),
            ("recovery", it.recovery),
            ("cooldown", it.cooldown),
            ("fuel", it.fuel.unwrap_or_default()),
        ] {
            self.bounded(path(field), span);
        }
        if it.crank_limit < it.crank {
            self.say(path("crank_limit"), "must not be below crank");
        }
    }

    pub(super) fn transfer(&mut self, name: &str, it: &site::Transfer) {
        let path = |field: &str| format!("transfers.{name}.{field}");
        if it.from[0] == it.from[1] {
            self.say(path("from"), "both inputs are the same");
        }
        if it.preferred > 1 {
            self.say(
                path("preferred"),
                format!("is {}; must be 0 or 1", it.preferred),
            );
        }
        self.within(path("window.low"), it.window.low.get(), 0.1, 1.0);
        self.within(path("window.high"), it.window.high.get(), 1.0, 5.0);
        self.bounded(path("open"), it.open.unwrap_or_default());
        self.bounded(path("transfer_delay"), it.transfer_delay);
        self.bounded(path("retransfer_delay"), it.retransfer_delay);
    }
}
