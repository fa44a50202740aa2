use proptest::prelude::*;

use ridethrough_targets::units::Rate;

use super::*;

fn load(name: &str, arrivals: Arrivals) -> LoadSpec {
    LoadSpec {
        name: name.into(),
        arrivals,
        prompt_tokens: Range { min: 32, max: 256 },
        output_tokens: Range { min: 40, max: 120 },
        class: "interactive".into(),
        stream: true,
        model: None,
        oracle: None,
        client: crate::playbook::ClientSpec::default(),
    }
}

fn poisson(rate: f64) -> Arrivals {
    Arrivals::Poisson { rate: Rate(rate) }
}

fn constant(rate: f64) -> Arrivals {
    Arrivals::Constant { rate: Rate(rate) }
}

const MINUTE: Micros = 60_000_000;

#[test]
fn evenly_spaced_does_not_drift() {
    let planned = draw(&load("a", constant(30.0)), 1, MINUTE).expect("a good rate");
    assert_eq!(planned.len(), 1800);
    assert_eq!(planned[0].at_us, 0);
    assert_eq!(planned[1799].at_us, 59_966_667);
}

#[test]
fn independent_arrivals_look_exponential() {
    let planned = draw(&load("a", poisson(200.0)), 7, 50 * MINUTE).expect("a good rate");
    let n = planned.len() as f64;
    // Expected 600 000, standard deviation below 800.
    assert!((n - 600_000.0).abs() < 4_000.0, "{n}");
    let gaps: Vec<f64> = planned
        .windows(2)
        .map(|pair| (pair[1].at_us - pair[0].at_us) as f64)
        .collect();
    let mean = gaps.iter().sum::<f64>() / n;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
    let variation = variance.sqrt() / mean;
    assert!((variation - 1.0).abs() < 0.02, "{variation}");
}

#[test]
fn lengths_fill_their_ranges() {
    let planned = draw(&load("a", poisson(100.0)), 3, 5 * MINUTE).expect("a good rate");
    let outputs = || planned.iter().map(|p| p.output_tokens);
    assert_eq!((outputs().min(), outputs().max()), (Some(40), Some(120)));
    let mean = outputs().map(f64::from).sum::<f64>() / planned.len() as f64;
    assert!((mean - 80.0).abs() < 1.0, "{mean}");
}

#[test]
fn what_sends_nothing_is_refused() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let drawn = draw(&load("a", poisson(rate)), 1, MINUTE);
        assert!(matches!(drawn, Err(ScheduleError::Rate { .. })), "{rate}");
    }
    let drawn = draw(&load("a", constant(1e9)), 1, MINUTE);
    assert!(matches!(drawn, Err(ScheduleError::TooMany { .. })));
}

proptest! {
    #[test]
    fn in_order_in_time_and_the_same_again(seed: u64, rate in 0.1f64..500.0, even: bool) {
        let spec = load("chat", if even { constant(rate) } else { poisson(rate) });
        let planned = draw(&spec, seed, MINUTE).expect("a good rate");
        prop_assert!(planned.windows(2).all(|pair| pair[0].at_us <= pair[1].at_us));
        prop_assert!(planned.iter().all(|p| p.at_us < MINUTE
            && (32..=256).contains(&p.prompt_tokens)
            && (40..=120).contains(&p.output_tokens)));
        prop_assert!(planned.iter().all(|p| p.seed < 1 << 53));
        prop_assert_eq!(&planned, &draw(&spec, seed, MINUTE).expect("a good rate"));
        // A longer run begins like a shorter one.
        let longer = draw(&spec, seed, 2 * MINUTE).expect("a good rate");
        prop_assert_eq!(&longer[..planned.len()], &planned[..]);
    }

    #[test]
    fn loads_and_seeds_are_independent(seed: u64) {
        let of = |name: &str, seed| draw(&load(name, poisson(50.0)), seed, MINUTE).expect("a good rate");
        prop_assert_ne!(of("chat", seed), of("batch", seed));
        prop_assert_ne!(of("chat", seed), of("chat", seed.wrapping_add(1)));
    }
}
