//! What a value was from which moment on, kept small.

use ridethrough_targets::clock::Micros;

/// The values of one thing over time. Each holds until the next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Steps<T> {
    points: Vec<(Micros, T)>,
}

impl<T> Default for Steps<T> {
    fn default() -> Self {
        Self { points: Vec::new() }
    }
}

impl<T: PartialEq + Clone> Steps<T> {
    /// From this moment on it is this.
    pub(crate) fn push(&mut self, t_us: Micros, value: T) {
        if self.points.last().is_none_or(|(_, last)| *last != value) {
            self.points.push((t_us, value));
        }
    }

    /// In order of time; of several values at one moment the last counts, and
    /// what repeats the value before it says nothing.
    pub(crate) fn settle(&mut self) {
        self.points.sort_by_key(|(t_us, _)| *t_us);
        let mut kept: Vec<(Micros, T)> = Vec::with_capacity(self.points.len());
        for point in self.points.drain(..) {
            if kept.last().is_some_and(|(t_us, _)| *t_us == point.0) {
                kept.pop();
            }
            if kept.last().is_none_or(|(_, last)| *last != point.1) {
                kept.push(point);
            }
        }
        self.points = kept;
    }

    /// The points, in order of time once settled.
    pub(crate) fn points(&self) -> &[(Micros, T)] {
        &self.points
    }
}

impl Steps<f64> {
    /// At most about so many points: of each stretch of time the first, the least,
    /// the largest and the last value stay, so that no dip is lost.
    pub(crate) fn thinned(&self, most: usize) -> Vec<(Micros, f64)> {
        let points = &self.points;
        if points.len() <= most {
            return points.clone();
        }
        let stretch = points.len().div_ceil((most / 4).max(1));
        let mut kept = Vec::with_capacity(most + 4);
        for part in points.chunks(stretch) {
            let by = |(_, a): &&(Micros, f64), (_, b): &&(Micros, f64)| a.total_cmp(b);
            let ends = [part.first(), part.last()];
            let extremes = [part.iter().min_by(by), part.iter().max_by(by)];
            let mut four: Vec<_> = ends.into_iter().chain(extremes).flatten().collect();
            four.sort_by_key(|(t_us, _)| *t_us);
            four.dedup_by_key(|(t_us, _)| *t_us);
            kept.extend(four.into_iter().copied());
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::Steps;

    #[test]
    fn what_says_nothing_is_left_out() {
        let mut steps = Steps::default();
        for (t_us, value) in [(5, "b"), (5, "c"), (1, "a"), (7, "c"), (9, "d")] {
            steps.push(t_us, value);
        }
        steps.settle();
        assert_eq!(steps.points(), [(1, "a"), (5, "c"), (9, "d")]);
    }

    #[test]
    fn a_dip_survives_thinning() {
        let mut steps = Steps::default();
        for n in 0..100_000u64 {
            let value = if n == 31_234 {
                0.1
            } else {
                1.0 + (n % 7) as f64 / 1e3
            };
            steps.push(n, value);
        }
        let thin = steps.thinned(400);
        assert!(thin.len() <= 404, "{}", thin.len());
        assert!(thin.contains(&(31_234, 0.1)));
        assert_eq!(thin.first().map(|p| p.0), Some(0));
        assert_eq!(thin.last().map(|p| p.0), Some(99_999));
        assert!(thin.windows(2).all(|w| w[0].0 < w[1].0));
    }
}
