//! A battery's runtime at constant power.

use super::site;

/// A runtime curve, as a data sheet gives it.
#[derive(Clone, Debug)]
pub(super) enum Curve {
    /// T(P) = T1 (P/P1)^-n.
    Power {
        /// P1, in watts.
        power_w: f64,
        /// T1, in seconds.
        runtime_s: f64,
        /// n.
        exponent: f64,
    },
    /// Data-sheet points (ln power, ln runtime), power ascending, at least two.
    Points(Vec<(f64, f64)>),
}

impl Curve {
    /// The curve of a battery behind a UPS of this rating.
    pub(super) fn new(battery: &site::Battery, rating_w: f64) -> Self {
        match battery.curve.as_slice() {
            [] => Self::Power {
                power_w: rating_w,
                runtime_s: match battery.runtime {
                    Some(runtime) => runtime.secs_f64(),
                    None => battery.energy.get() * 3_600.0 / rating_w,
                },
                exponent: battery.exponent,
            },
            [point] => Self::Power {
                power_w: point.power.get(),
                runtime_s: point.runtime.secs_f64(),
                exponent: battery.exponent,
            },
            points => Self::Points(
                points
                    .iter()
                    .map(|p| (p.power.get().ln(), p.runtime.secs_f64().ln()))
                    .collect(),
            ),
        }
    }

    /// Runtime in seconds at this power, new and full; infinite without load.
    pub(super) fn runtime_s(&self, power_w: f64) -> f64 {
        if power_w <= 0.0 {
            return f64::INFINITY;
        }
        match self {
            Self::Power {
                power_w: rated_w,
                runtime_s,
                exponent,
            } => runtime_s * (power_w / rated_w).powf(-exponent),
            Self::Points(points) => {
                let x = power_w.ln();
                // Outside the points the nearest segment goes on.
                let right = points
                    .iter()
                    .position(|p| p.0 >= x)
                    .unwrap_or(points.len() - 1)
                    .max(1);
                let ((x0, y0), (x1, y1)) = (points[right - 1], points[right]);
                (y0 + (y1 - y0) * (x - x0) / (x1 - x0)).exp()
            }
        }
    }
}
