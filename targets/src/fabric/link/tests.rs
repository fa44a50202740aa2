use proptest::prelude::*;

use crate::units::{Bandwidth, PerUnit, Span};
use crate::world::Impairment;

use super::*;

const MS: u64 = 1_000_000;

pub(super) fn frame(bytes: u64) -> Frame {
    Frame {
        to: 2,
        group: false,
        ip: true,
        packets: 1,
        wire_bytes: bytes,
        longest: bytes.saturating_sub(14),
        ports: Some((40_000, 8_000)),
        resettable: true,
    }
}

pub(super) fn acting(id: u64, impairment: Impairment) -> Acting {
    Acting {
        id: RuleId(id),
        impairment,
        port: None,
        since: 0,
        tally: Arc::default(),
    }
}

fn link(rules: &[Impairment]) -> Link {
    seeded(1, 0, rules)
}

pub(super) fn seeded(seed: u64, stream: u32, rules: &[Impairment]) -> Link {
    let rules = (1..).zip(rules.iter().cloned());
    let rules: Vec<_> = rules.map(|(id, rule)| acting(id, rule)).collect();
    let mut link = Link::new();
    link.update(seed, stream, &rules);
    link
}

fn delay(ms: u64, jitter_ms: u64) -> Impairment {
    Impairment::delay(Span::from_millis(ms), Span::from_millis(jitter_ms))
}

fn loss(probability: f64) -> Impairment {
    Impairment::Loss {
        probability: PerUnit(probability),
    }
}

fn rate(bits: f64, queue_ms: u64) -> Impairment {
    Impairment::Rate {
        rate: Bandwidth(bits),
        queue: Span::from_millis(queue_ms),
    }
}

fn due(decision: Decision, now: Nanos) -> Option<Nanos> {
    match decision.verdict {
        Verdict::Drop => None,
        Verdict::Now => Some(now),
        Verdict::At(due) => Some(due),
    }
}

#[test]
fn no_rule_no_wait() {
    assert_eq!(link(&[]).decide(5, &frame(100)).verdict, Verdict::Now);
}

#[test]
fn drop_wins() {
    let mut link = link(&[delay(5, 0), Impairment::Drop]);
    assert!(link.is_cut(0));
    assert_eq!(link.decide(0, &frame(100)).verdict, Verdict::Drop);
}

#[test]
fn delays_add_up() {
    let mut link = link(&[delay(5, 0), delay(7, 0)]);
    assert_eq!(link.decide(MS, &frame(100)).verdict, Verdict::At(13 * MS));
}

#[test]
fn loss_stays_within_the_binomial_interval() {
    // 2.576 standard deviations hold 99 % of all seeds; 200 seeds may leave
    // out a handful.
    let (count, mut outside) = (2_000_u32, 0);
    for seed in 0..200 {
        let mut link = seeded(seed, 3, &[loss(0.1)]);
        let lost = (0..count).filter(|_| link.decide(0, &frame(100)).verdict == Verdict::Drop);
        let share = lost.count() as f64 / f64::from(count);
        let interval = 2.576 * (0.1 * 0.9 / f64::from(count)).sqrt();
        outside += u32::from((share - 0.1).abs() > interval);
    }
    assert!(
        outside <= 8,
        "{outside} of 200 seeds outside the 99 % interval"
    );
}

#[test]
fn losses_are_independent_of_each_other() {
    let mut link = link(&[loss(0.5), loss(0.5)]);
    let count = 4_000;
    let lost = (0..count).filter(|_| link.decide(0, &frame(100)).verdict == Verdict::Drop);
    let share = lost.count() as f64 / f64::from(count);
    assert!((share - 0.75).abs() < 0.03, "{share}");
}

#[test]
fn loss_spares_what_is_not_ip() {
    let mut link = link(&[loss(1.0)]);
    let arp = Frame {
        ip: false,
        ..frame(42)
    };
    assert_eq!(link.decide(0, &arp).verdict, Verdict::Now);
    assert_eq!(link.decide(0, &frame(42)).verdict, Verdict::Drop);
}

#[test]
fn a_seed_decides_everything_and_directions_differ() {
    let run = |seed, stream| -> Vec<Decision> {
        let mut link = seeded(seed, stream, &[loss(0.3), delay(5, 5)]);
        (0..200)
            .map(|at| link.decide(at * MS, &frame(100)))
            .collect()
    };
    assert_eq!(run(1, 1), run(1, 1));
    assert_ne!(run(1, 1), run(2, 1));
    assert_ne!(run(1, 1), run(1, 2));
}

#[test]
fn jitter_is_uniform_around_the_mean() {
    let mut link = link(&[delay(50, 10)]);
    let mut waits: Vec<f64> = Vec::new();
    for at in 0..4_000_u64 {
        // Far enough apart that the order does not hold a frame back.
        let now = at * 100 * MS;
        let due = due(link.decide(now, &frame(100)), now).expect("nothing is lost");
        waits.push((due - now) as f64 / MS as f64);
    }
    assert!(waits.iter().all(|wait| (40.0..=60.0).contains(wait)));
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    assert!((mean - 50.0).abs() < 0.4, "{mean}");
    let early = waits.iter().filter(|wait| **wait < 42.0).count();
    assert!((300..500).contains(&early), "a tenth of 4000, not {early}");
}

#[test]
fn rate_spaces_frames_by_their_length() {
    // 1000 bytes at 8 Mbit/s take 1 ms.
    let mut link = link(&[rate(8e6, 1_000)]);
    for number in 1..=10 {
        assert_eq!(
            link.decide(0, &frame(1_000)).verdict,
            Verdict::At(number * MS)
        );
    }
    // After a pause the line is free again.
    assert_eq!(
        link.decide(100 * MS, &frame(1_000)).verdict,
        Verdict::At(101 * MS)
    );
}

#[test]
fn the_queue_of_a_rate_is_bounded() {
    let mut link = link(&[rate(8e6, 5)]);
    let verdicts: Vec<_> = (0..20)
        .map(|_| link.decide(0, &frame(1_000)).verdict)
        .collect();
    // One on the line and five milliseconds of waiting.
    let accepted = verdicts.iter().filter(|v| **v != Verdict::Drop).count();
    assert_eq!(accepted, 6);
    assert!(
        link.decide(MS, &frame(1_000)).verdict != Verdict::Drop,
        "room again"
    );
}

#[test]
fn rates_and_delays_compose() {
    let mut link = link(&[delay(10, 0), rate(8e6, 100), rate(4e6, 100)]);
    // 1 ms on the first line, 2 ms on the second, 10 ms of delay.
    assert_eq!(link.decide(0, &frame(1_000)).verdict, Verdict::At(13 * MS));
    assert_eq!(link.decide(0, &frame(1_000)).verdict, Verdict::At(15 * MS));
}

#[test]
fn rules_that_stay_keep_their_state() {
    let mut link = link(&[rate(8e6, 1_000)]);
    link.decide(0, &frame(5_000));
    let stays = acting(1, rate(8e6, 1_000));
    link.update(1, 0, &[stays, acting(2, delay(1, 0))]);
    assert_eq!(link.decide(0, &frame(1_000)).verdict, Verdict::At(7 * MS));
}

#[test]
fn a_flap_is_dark_for_its_share_of_every_period() {
    let flap = Impairment::Flap {
        period: Span::from_millis(100),
        down: Span::from_millis(30),
    };
    let rule = Acting {
        since: 7 * MS,
        ..acting(1, flap)
    };
    let mut link = Link::new();
    link.update(1, 0, &[rule]);
    let arp = Frame {
        ip: false,
        ports: None,
        ..frame(42)
    };
    for (ms, dark) in [
        (7, true),
        (36, true),
        (37, false),
        (106, false),
        (107, true),
    ] {
        assert_eq!(link.is_cut(ms * MS), dark, "at {ms} ms");
        let verdict = link.decide(ms * MS, &arp).verdict;
        assert_eq!(verdict == Verdict::Drop, dark, "at {ms} ms");
    }
}

#[test]
fn a_port_filter_leaves_other_frames_alone() {
    let drop = Acting {
        port: Some(8_000),
        ..acting(1, Impairment::Drop)
    };
    let tally = Arc::clone(&drop.tally);
    let mut link = Link::new();
    link.update(1, 0, &[drop]);
    assert!(!link.is_cut(0), "what has no such port passes");
    let with = |ports| Frame {
        ports,
        ..frame(100)
    };
    for (ports, dropped) in [
        (Some((40_000, 8_000)), true),
        (Some((8_000, 40_000)), true),
        (Some((40_000, 8_001)), false),
        (None, false),
    ] {
        let verdict = link.decide(0, &with(ports)).verdict;
        assert_eq!(verdict == Verdict::Drop, dropped, "{ports:?}");
    }
    assert_eq!(tally.read().matched, 2);
}

#[test]
fn what_is_too_long_vanishes() {
    let mut link = link(&[Impairment::MtuBlackHole { mtu: 576 }]);
    assert_eq!(link.decide(0, &frame(590)).verdict, Verdict::Now);
    assert_eq!(link.decide(0, &frame(591)).verdict, Verdict::Drop);
}

#[test]
fn a_chosen_frame_is_overtaken_by_the_others_only() {
    let reorder = Impairment::Reorder {
        probability: PerUnit(0.3),
        by: Span::from_millis(5),
    };
    let mut link = link(&[delay(10, 0), reorder]);
    let (mut last, mut late) = (0, 0);
    for at in 0..1_000_u64 {
        let now = at * MS;
        let due = due(link.decide(now, &frame(100)), now).expect("nothing is lost");
        if due == now + 15 * MS {
            late += 1;
        } else {
            assert_eq!(due, now + 10 * MS, "the rest is not held up");
            assert!(due >= last);
            last = due;
        }
    }
    assert!((240..360).contains(&late), "{late} of 1000");
}

#[test]
fn only_tcp_segments_become_resets() {
    let mut link = link(&[Impairment::Reset {
        probability: PerUnit(1.0),
    }]);
    assert!(link.decide(0, &frame(100)).reset);
    let syn = Frame {
        resettable: false,
        ..frame(100)
    };
    assert_eq!(link.decide(0, &syn), Verdict::Now.into());
}

proptest! {
    #[test]
    fn nothing_overtakes(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..3_000_000_u64, 64..65_000_u64, 0..12_u8), 1..200),
    ) {
        let mut link = Link::new();
        let (mut now, mut last) = (0, 0);
        for (gap, bytes, change) in steps {
            now += gap;
            match change {
                0 => link.update(seed, 0, &[]),
                1 => link.update(seed, 0, &[acting(1, delay(5, 5))]),
                2 => link.update(seed, 0, &[acting(2, rate(1e9, 20)), acting(1, delay(5, 5))]),
                _ => {}
            }
            // What a frame leaves behind is held until it is due.
            link.held_frames = u32::from(last > now);
            if let Some(due) = due(link.decide(now, &frame(bytes)), now) {
                prop_assert!(due >= now);
                prop_assert!(due >= last, "due {due} after one due {last}");
                last = due;
            }
        }
    }

    #[test]
    fn a_rate_is_never_exceeded(
        bits in 1e5..1e10_f64,
        queue_ms in 0..200_u64,
        frames in prop::collection::vec((0..2_000_000_u64, 64..65_000_u64), 2..200),
    ) {
        let mut link = link(&[rate(bits, queue_ms)]);
        let (mut now, mut accepted, mut first) = (0, 0_u64, None);
        for (gap, bytes) in frames {
            now += gap;
            if let Some(due) = due(link.decide(now, &frame(bytes)), now) {
                let first = *first.get_or_insert(now);
                accepted += bytes;
                let least = accepted as f64 * 8e9 / bits;
                prop_assert!((due - first) as f64 >= least * (1.0 - 1e-9) - 1.0);
                let own = bytes as f64 * 8e9 / bits;
                let wait = (due - now) as f64 - own;
                prop_assert!(wait <= (queue_ms * MS) as f64 + 2.0, "waited {wait} ns");
            }
        }
    }
}
