use proptest::prelude::*;

use super::*;

proptest! {
    /// Whatever comes when: over any window, retries are at most the share of
    /// the requests that count, and the floor.
    #[test]
    fn retries_never_exceed_the_budget(
        share in 0.0f64..1.0,
        steps in prop::collection::vec((0u64..400, any::<bool>()), 1..600),
    ) {
        let budget = RetryBudget::new(share);
        let start = Instant::now();
        let mut now = start;
        let mut requests: Vec<Instant> = Vec::new();
        let mut granted: Vec<Instant> = Vec::new();
        for (step_ms, is_request) in steps {
            now += Duration::from_millis(step_ms);
            if is_request {
                budget.request(now);
                requests.push(now);
            } else if budget.take(now) {
                granted.push(now);
            }
            // Slots are counted from their beginning: the window they span is
            // at most one slot shorter than the nominal one.
            let recent = |all: &[Instant], window| all.iter().filter(|t| now.duration_since(**t) < window).count() as f64;
            let allowed = share * recent(&requests, WINDOW) + FLOOR_PER_S * WINDOW.as_secs_f64();
            prop_assert!(recent(&granted, WINDOW - SLOT) <= allowed + share * requests.len() as f64 * f64::EPSILON + share * recent(&requests, WINDOW + SLOT));
        }
    }

    #[test]
    fn the_floor_is_always_there(share in 0.0f64..1.0) {
        let budget = RetryBudget::new(share);
        let now = Instant::now();
        let granted = (0..200).filter(|_| budget.take(now)).count();
        prop_assert_eq!(granted, 100);
        // And it comes back.
        prop_assert!(budget.take(now + WINDOW));
    }
}

#[test]
fn requests_earn_retries() {
    let budget = RetryBudget::new(0.2);
    let now = Instant::now();
    for _ in 0..500 {
        budget.request(now);
    }
    assert_eq!((0..1000).filter(|_| budget.take(now)).count(), 200);
}
