//! Whether a reading differs from another by more than a meter can see.
//!
//! Charges, powers and temperatures creep; the rest of a reading says
//! something new whenever it changes.

use super::reading::Reading;

/// Changes of charge below this are not seen, of 1.
const CHARGE: f64 = 0.001;
/// Changes of power below this are not seen, as a share of the power.
const POWER: f64 = 0.01;
/// Changes of runtime below this are not seen, as a share of the runtime. With
/// half of it on top until the next look, a card is right within a percent.
const RUNTIME: f64 = 0.005;
/// Changes of temperature below this are not seen, in degrees.
const CELSIUS: f64 = 0.1;
/// Changes of a battery's voltage below this are not seen, as a share.
const VOLTAGE: f64 = 0.002;
/// Counters of energy and of time tick along with the rest.
const NEVER: f64 = f64::INFINITY;

/// A number that creeps, and the step below which nobody sees it move.
struct Gauge<'a> {
    value: &'a mut f64,
    step: Step,
}

enum Step {
    Of(f64),
    Share(f64),
}

impl Reading {
    /// How many steps of a meter the two are apart; infinite where they differ
    /// in what does not creep, or are of two kinds.
    pub fn steps_from(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.clone(), other.clone());
        let (first, second) = (creeping(&mut a), creeping(&mut b));
        if first.len() != second.len() {
            return f64::INFINITY;
        }
        let steps = first.into_iter().zip(second).map(|(a, b)| {
            let (was, is) = (std::mem::take(a.value), std::mem::take(b.value));
            if was == is {
                return 0.0;
            }
            match a.step {
                Step::Of(step) => (is - was).abs() / step,
                Step::Share(share) => (is - was).abs() / (share * was.abs().max(f64::MIN_POSITIVE)),
            }
        });
        let most = steps.fold(0.0, f64::max);
        if a == b { most } else { f64::INFINITY }
    }

    /// Whether a meter shows the two as different. An empty or a full battery is
    /// told to the point.
    pub fn moved_from(&self, other: &Self) -> bool {
        let end = |charge: f64| charge <= 0.0 || charge >= 1.0;
        let full = match (self.charge(), other.charge()) {
            (Some(now), Some(before)) => now != before && end(now),
            _ => false,
        };
        full || self.steps_from(other) >= 1.0
    }

    /// The device's own state of charge.
    fn charge(&self) -> Option<f64> {
        match self {
            Self::Ups(r) => Some(r.charge),
            Self::Bess(r) => Some(r.charge),
            Self::Shelf(r) => r.bbu.as_ref().map(|bbu| bbu.charge),
            _ => None,
        }
    }
}

/// Takes out when it was measured; returns the numbers that creep.
fn creeping(reading: &mut Reading) -> Vec<Gauge<'_>> {
    let of = |value, step| Gauge {
        value,
        step: Step::Of(step),
    };
    let share = |value, share| Gauge {
        value,
        step: Step::Share(share),
    };
    match reading {
        Reading::Utility(r) => {
            r.t_us = 0;
            vec![share(&mut r.w, POWER)]
        }
        Reading::Ups(r) => {
            r.t_us = 0;
            vec![
                of(&mut r.charge, CHARGE),
                share(&mut r.runtime_s, RUNTIME),
                share(&mut r.output_w, POWER),
                of(&mut r.on_battery_s, NEVER),
            ]
        }
        Reading::Generator(r) => {
            r.t_us = 0;
            vec![share(&mut r.w, POWER), share(&mut r.fuel_h, POWER)]
        }
        Reading::Transfer(r) => {
            r.t_us = 0;
            vec![share(&mut r.output_w, POWER)]
        }
        Reading::Bess(r) => {
            r.t_us = 0;
            let [out, into] = &mut r.through_wh;
            let [low, high] = &mut r.cell_v;
            vec![
                of(&mut r.charge, CHARGE),
                share(&mut r.w, POWER),
                share(&mut r.dc_v, VOLTAGE),
                share(&mut r.dc_a, POWER),
                share(low, VOLTAGE),
                share(high, VOLTAGE),
                of(&mut r.temperature_c, CELSIUS),
                of(out, NEVER),
                of(into, NEVER),
            ]
        }
        Reading::Pdu(r) => {
            r.t_us = 0;
            let mut gauges = vec![
                share(&mut r.a, POWER),
                share(&mut r.w, POWER),
                of(&mut r.energy_wh, NEVER),
            ];
            for outlet in &mut r.outlets {
                gauges.push(share(&mut outlet.w, POWER));
                gauges.push(share(&mut outlet.a, POWER));
            }
            gauges
        }
        Reading::Shelf(r) => {
            r.t_us = 0;
            let mut gauges = vec![share(&mut r.w, POWER)];
            let supplies = r.supplies.iter_mut();
            gauges.extend(supplies.map(|s| share(&mut s.input_w, POWER)));
            gauges.extend(r.bbu.iter_mut().map(|bbu| of(&mut bbu.charge, CHARGE)));
            gauges
        }
        Reading::Cooling(r) => {
            r.t_us = 0;
            vec![of(&mut r.temperature_c, CELSIUS), share(&mut r.w, POWER)]
        }
        Reading::Machine(r) => {
            r.t_us = 0;
            let mut gauges = vec![share(&mut r.w, POWER), of(&mut r.temperature_c, CELSIUS)];
            let supplies = r.supplies.iter_mut();
            gauges.extend(supplies.map(|s| share(&mut s.input_w, POWER)));
            gauges
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{PduReading, ReadingStatus, UpsReading};

    #[test]
    fn what_creeps_is_seen_by_the_step_and_what_does_not_at_once() {
        let ups = |change: fn(&mut UpsReading)| {
            let mut reading = UpsReading {
                charge: 0.5,
                runtime_s: 100.0,
                ..UpsReading::default()
            };
            change(&mut reading);
            Reading::Ups(reading)
        };
        let before = ups(|_| {});
        assert!(!ups(|r| r.t_us = 9).moved_from(&before));
        assert!(!ups(|r| r.charge = 0.5005).moved_from(&before));
        assert!(ups(|r| r.charge = 0.502).moved_from(&before));
        assert!(!ups(|r| r.runtime_s = 99.6).moved_from(&before));
        assert!(ups(|r| r.runtime_s = 99.0).moved_from(&before));
        assert!(ups(|r| r.output_w = 1e-9).moved_from(&before));
        assert!(ups(|r| r.status = ReadingStatus::Off).moved_from(&before));
        assert!(Reading::Pdu(PduReading::default()).moved_from(&before));
        // The last step to full is smaller than what can be seen.
        let nearly = ups(|r| r.charge = 0.9999);
        assert!(ups(|r| r.charge = 1.0).moved_from(&nearly));
    }
}
