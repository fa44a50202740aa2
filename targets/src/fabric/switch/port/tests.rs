use std::sync::atomic::AtomicU32;

use super::*;

#[test]
fn an_idle_gate_is_settled() {
    let gate = Gate::default();
    assert!(gate.settle(|| true));
    gate.enter();
    gate.leave();
    assert!(gate.settle(|| true));
}

#[test]
fn a_busy_gate_is_waited_for_within_bounds() {
    let gate = Gate::default();
    gate.enter();
    let mut patience = 3;
    assert!(!gate.settle(|| {
        patience -= 1;
        patience == 0
    }));
    // The write under way has ended, and another one has begun.
    assert!(gate.settle(|| {
        gate.leave();
        gate.enter();
        false
    }));
}

#[test]
fn nothing_is_written_after_dark_is_declared() {
    for _ in 0..200 {
        let gate = Gate::default();
        let life = Life::new(0, ());
        let (written, late) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !life.is_declared_dark() {
                    gate.enter();
                    if !life.is_dark() {
                        written.fetch_add(1, Ordering::Relaxed);
                        std::hint::spin_loop();
                        late.fetch_add(u32::from(life.is_declared_dark()), Ordering::Relaxed);
                    }
                    gate.leave();
                }
            });
            while written.load(Ordering::Relaxed) < 10 {
                std::thread::yield_now();
            }
            life.darken();
            assert!(gate.settle(|| false));
            life.declare_dark();
        });
        assert_eq!(late.load(Ordering::Relaxed), 0);
    }
}
