use proptest::prelude::*;

use super::*;

fn scheduler(slots: u32, queue: u32) -> Arc<Scheduler> {
    let config = ReplicaConfig {
        slots,
        queue,
        ..ReplicaConfig::default()
    };
    Arc::new(Scheduler::new(config, Arc::default()))
}

fn job(count: u32) -> Job {
    Job {
        prompt_tokens: 10,
        count,
        probe: false,
    }
}

fn advance(scheduler: &Scheduler, to: Instant) {
    let mut state = scheduler.lock();
    scheduler.advance(&mut state, to);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_slower_by_its_slope() {
    let scheduler = scheduler(32, 0);
    let start = Instant::now();
    let tickets: Vec<Ticket> = (0..11)
        .filter_map(|_| scheduler.submit(job(1000)).ok())
        .collect();
    // 31 ms of prefill, then steps of 20 ms x 1.1.
    advance(&scheduler, start + Duration::from_millis(31 + 22 * 10));
    for ticket in &tickets {
        assert_eq!(*ticket.progress.borrow(), 11);
    }
    let state = scheduler.lock();
    let (utilisation, rate) = scheduler.draw(&state);
    assert!((utilisation - 11.0 / 32.0).abs() < 1e-9);
    assert!((rate - 500.0).abs() < 1e-6, "{rate}");
    drop(state);
}

proptest! {
    /// However time is cut and whatever the clocks do: the same work in the
    /// end, no more in the batch than slots, nothing left when all are gone.
    #[test]
    fn work_does_not_depend_on_how_it_is_looked_at(
        steps in prop::collection::vec((0u64..60_000, 0u8..4, 0.0f64..2.0), 1..60),
        slots in 1u32..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
        runtime.block_on(async {
            let fine = scheduler(slots, 3);
            let coarse = scheduler(slots, 3);
            let mut held: Vec<(Ticket, Ticket)> = Vec::new();
            for (us, act, ratio) in steps {
                for _ in 0..10 {
                    tokio::time::advance(Duration::from_micros(us / 10)).await;
                    advance(&fine, Instant::now());
                }
                match act {
                    0 | 1 => match (fine.submit(job(5)), coarse.submit(job(5))) {
                        (Ok(a), Ok(b)) => held.push((a, b)),
                        (Err(_), Err(_)) => {}
                        _ => panic!("one took it, one did not"),
                    },
                    2 if !held.is_empty() => { held.remove(0); }
                    _ => { fine.set_clocks(ratio); coarse.set_clocks(ratio); }
                }
                advance(&coarse, Instant::now());
                assert!(fine.depth().0 <= slots as usize && fine.depth().1 <= 3);
                assert_eq!(fine.depth(), coarse.depth());
                for (a, b) in &held {
                    let (a, b) = (*a.progress.borrow(), *b.progress.borrow());
                    assert!(a.abs_diff(b) <= 1, "{a} {b}");
                }
            }
            held.clear();
            assert_eq!(fine.depth(), (0, 0));
            assert!(fine.lock().running.is_empty() && fine.lock().decode_due.is_empty() && fine.lock().prefill_due.is_empty());
        });
    }
}
