//! Ride-through curves and the names of disturbances.

use crate::plant::{
    DisturbanceKind as K, DisturbanceLength as L, RideThrough as R, classify, disturbances,
};
use crate::units::{PerUnit, Span};

fn covers(curve: R, ms: f64, pu: f64) -> bool {
    curve.covers(Span::from_micros((ms * 1e3) as u64), PerUnit(pu))
}

#[test]
fn itic_below_nominal() {
    // A known trap: half a second, not five.
    assert!(!covers(R::Itic, 600.0, 0.75));
    assert!(covers(R::Itic, 500.0, 0.70));
    assert!(covers(R::Itic, 20.0, 0.0));
    assert!(!covers(R::Itic, 20.1, 0.69));
    assert!(covers(R::Itic, 10_000.0, 0.8));
    assert!(!covers(R::Itic, 10_001.0, 0.89));
    assert!(covers(R::Itic, 3_600_000.0, 0.9));
}

#[test]
fn itic_above_nominal() {
    for (ms, pu) in [
        (0.167, 5.0),
        (1.0, 2.0),
        (3.0, 1.4),
        (400.0, 1.2),
        (501.0, 1.1),
    ] {
        assert!(covers(R::Itic, ms, pu - 1e-9), "{ms} ms at {pu}");
        assert!(!covers(R::Itic, ms, pu + 0.001), "{ms} ms at {pu}");
    }
}

#[test]
fn sags_of_the_other_standards() {
    for (curve, ms, pu) in [
        (R::SemiF47, 200.0, 0.5),
        (R::SemiF47, 500.0, 0.7),
        (R::SemiF47, 1_000.0, 0.8),
        (R::Iec61000Class2, 20.0, 0.0),
        (R::Iec61000Class2, 500.0, 0.7),
        (R::Iec61000Class3, 20.0, 0.0),
        (R::Iec61000Class3, 200.0, 0.4),
        (R::Iec61000Class3, 500.0, 0.7),
        (R::Iec61000Class3, 5_000.0, 0.8),
    ] {
        assert!(covers(curve, ms, pu), "{curve:?} {ms} ms at {pu}");
        assert!(!covers(curve, ms + 0.001, pu), "{curve:?} {ms} ms at {pu}");
        assert!(!covers(curve, ms, pu - 0.001), "{curve:?} {ms} ms at {pu}");
    }
}

#[test]
fn disturbances_have_names() {
    let name = |ms, pu| classify(Span::from_millis(ms), PerUnit(pu));
    assert_eq!(name(100, 0.5), (K::Sag, L::Instantaneous));
    assert_eq!(name(2_000, 0.05), (K::Interruption, L::Momentary));
    assert_eq!(name(10_000, 1.15), (K::Swell, L::Temporary));
    assert_eq!(name(61_000, 0.85), (K::Undervoltage, L::Sustained));
    assert_eq!(name(61_000, 1.12), (K::Overvoltage, L::Sustained));
    assert_eq!(name(61_000, 0.0), (K::Interruption, L::Sustained));
    assert_eq!(name(5, 0.95), (K::None, L::Transient));
}

#[test]
fn a_disturbance_ends_well_inside_its_limit() {
    let steps = [
        (0, 1.0),
        (10, 0.89),
        (20, 0.91),
        (30, 0.6),
        (40, 0.92),
        (90, 1.2),
    ];
    let found = disturbances(&steps, 100);
    let found: Vec<_> = found
        .iter()
        .map(|d| (d.start_us, d.duration.micros(), d.retained.get()))
        .collect();
    assert_eq!(found, [(10, 30, 0.6), (90, 10, 1.2)]);
}
