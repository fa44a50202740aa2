//! A generator has the load in time, before any UPS runs out: plant truth.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::GeneratorState as State;

use super::facts::{GeneratorMove, RunFacts};
use super::finding::{Finding, bounded};
use super::quantity::{room_ms, time, trim};
use super::window::Window;
use crate::playbook::GeneratorAssert;

/// From the moment a generator was needed to what came of it.
struct Start<'a> {
    generator: &'a str,
    lost: &'a GeneratorMove,
    /// The end of it, and whether the generator had the load then. `None`
    /// where the record ends before.
    end: Option<(&'a GeneratorMove, bool)>,
}

impl Start<'_> {
    fn took_us(&self, last_us: Micros) -> Micros {
        let end_us = self.end.map_or(last_us, |(end, _)| end.t_us);
        end_us.saturating_sub(self.lost.t_us)
    }

    fn accepted(&self) -> Option<&GeneratorMove> {
        self.end.filter(|(_, loaded)| *loaded).map(|(end, _)| end)
    }
}

/// A start as it stands to the promise.
struct Held {
    ok: bool,
    room_ms: f64,
    words: String,
    evidence: String,
}

pub(crate) fn judge(facts: &RunFacts, asked: &GeneratorAssert) -> Finding {
    let mut limit = format!("load within {}", asked.accepted_within);
    if let Some(margin) = asked.margin {
        limit = format!("{limit}, {margin} before any UPS runs out");
    }
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let wanted = |name: &str| asked.generator.as_deref().is_none_or(|only| only == name);
    let all = facts.generators.iter().filter(|(name, _)| wanted(name));
    let starts = all.flat_map(|(name, moves)| starts(name, moves));
    let counted = |start: &Start<'_>| {
        // Mains that come back while there is still time need no generator.
        let late = start.took_us(facts.last_us) > asked.accepted_within.micros();
        let failed = start.end.is_some_and(|(end, _)| end.to == State::Fault);
        window.has(start.lost.t_us) && (start.accepted().is_some() || failed || late)
    };
    let starts = starts.filter(counted);
    let mut held: Vec<Held> = starts.map(|start| hold(facts, asked, &start)).collect();
    held.sort_by(|a, b| a.ok.cmp(&b.ok).then(a.room_ms.total_cmp(&b.room_ms)));
    let Some(worst) = held.first() else {
        let which = asked.generator.as_deref().unwrap_or("any generator");
        let why = format!("nothing called for {which}{}", window.words());
        return Finding::invalid(why, limit);
    };
    Finding::held(worst.ok, worst.words.clone(), limit)
        .margin(worst.room_ms, "ms")
        .evidence(bounded(held.iter().map(|held| held.evidence.clone())))
}

/// Each time that a generator was needed: from rest, or called back while it
/// was cooling down.
fn starts<'a>(generator: &'a str, moves: &'a [GeneratorMove]) -> Vec<Start<'a>> {
    let mut all: Vec<Start<'a>> = Vec::new();
    for one in moves {
        let open = all.last_mut().filter(|start| start.end.is_none());
        match (open, one.from, one.to) {
            (Some(start), _, State::Loaded | State::Fault | State::Cooldown | State::Off) => {
                start.end = Some((one, one.to == State::Loaded));
            }
            (
                None,
                State::Off | State::Cooldown,
                State::Sensing | State::Cranking | State::Ready,
            ) => {
                all.push(Start {
                    generator,
                    lost: one,
                    end: None,
                });
            }
            _ => {}
        }
    }
    all
}

fn hold(facts: &RunFacts, asked: &GeneratorAssert, start: &Start<'_>) -> Held {
    let name = start.generator;
    let took_us = start.took_us(facts.last_us);
    let limit_us = asked.accepted_within.micros();
    let seen = |end: u64| format!("{name}: events {} to {end}", start.lost.seq);
    let Some(accepted) = start.accepted() else {
        let how = match start.end {
            Some((end, _)) if end.to == State::Fault => "gave up",
            _ => "had no load",
        };
        let end = start.end.map_or(start.lost.seq, |(end, _)| end.seq);
        return Held {
            ok: false,
            room_ms: room_ms(limit_us, took_us).min(0.0),
            words: format!("{name} {how} after {}", time(took_us)),
            evidence: seen(end),
        };
    };
    let mut held = Held {
        ok: took_us <= limit_us,
        room_ms: room_ms(limit_us, took_us),
        words: format!("{name} had the load after {}", time(took_us)),
        evidence: seen(accepted.seq),
    };
    let Some(margin) = asked.margin else {
        return held;
    };
    let left = least_reserve(facts, accepted.t_us);
    let room = left.map(|(_, left_s)| left_s * 1e3 - margin.micros() as f64 / 1e3);
    held.ok &= room.is_some_and(|room| room >= 0.0);
    held.room_ms = held.room_ms.min(room.unwrap_or(0.0));
    let reserve = match left {
        Some((ups, left_s)) => format!("{ups} could go on for {} s", trim(left_s, 1)),
        None => "how long UPSs could go on is not in the record".into(),
    };
    held.words = format!("{}; {reserve}", held.words);
    held
}

/// The UPS that could go on for the shortest time when a generator took load.
fn least_reserve(facts: &RunFacts, t_us: Micros) -> Option<(&str, f64)> {
    let (_, reserve) = facts.reserves.iter().find(|(at, _)| *at >= t_us)?;
    let all = reserve.iter().map(|(ups, left_s)| (&**ups, *left_s));
    all.min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use ridethrough_targets::plant::{Change, GeneratorState as State};

    use super::super::testkit::{FAULT, Record, S};
    use super::super::{Judged, Verdict};
    use crate::record::Body;

    /// The outage with a generator that makes these moves.
    fn started(moves: &[(u64, State, State)], left_s: f64) -> Record {
        Record::outage().with(|r| {
            for (after, from, to) in moves {
                let (from, to) = (*from, *to);
                r.plant(FAULT + after * S, "gen-1", Change::Generator { from, to });
                if to == State::Loaded {
                    let runtime_s = [("ups-a".to_string(), left_s), ("ups-b".to_string(), 90.0)];
                    let runtime_s = runtime_s.into_iter().collect();
                    r.add(FAULT + after * S, Body::Reserve { runtime_s });
                }
            }
        })
    }

    fn judged(record: &Record, margin: &str) -> Judged {
        let asked = json!({"generator": {"accepted_within": "10s", "margin": margin}});
        record.judge(&[asked]).assertions.remove(0)
    }

    const GOOD: [(u64, State, State); 4] = [
        (0, State::Off, State::Sensing),
        (2, State::Sensing, State::Cranking),
        (9, State::Cranking, State::Ready),
        (10, State::Ready, State::Loaded),
    ];

    #[test]
    fn in_time_with_room_to_spare() {
        let good = judged(&started(&GOOD, 40.0), "30s");
        assert_eq!(good.verdict, Verdict::Pass);
        assert_eq!(
            good.observed,
            "gen-1 had the load after 10 s; ups-a could go on for 40 s"
        );
        assert!(
            good.evidence[0].starts_with("gen-1: events "),
            "{:?}",
            good.evidence
        );
        let scarce = judged(&started(&GOOD, 29.0), "30s");
        assert_eq!(scarce.verdict, Verdict::Fail);
        assert_eq!(scarce.margin.expect("a margin").value, -1000.0);
        let mut late = GOOD;
        late[3].0 = 11;
        assert_eq!(judged(&started(&late, 40.0), "30s").verdict, Verdict::Fail);
    }

    #[test]
    fn one_that_gives_up_fails() {
        let gave_up = [GOOD[0], GOOD[1], (5, State::Cranking, State::Fault)];
        let judged_ = judged(&started(&gave_up, 0.0), "1s");
        assert_eq!(judged_.verdict, Verdict::Fail);
        assert_eq!(judged_.observed, "gen-1 gave up after 5 s");
        let endless = judged(&started(&GOOD[..2], 0.0), "1s");
        assert_eq!(endless.verdict, Verdict::Fail);
    }

    #[test]
    fn mains_that_come_back_in_time_need_none() {
        let blink = [GOOD[0], (1, State::Sensing, State::Off)];
        assert_eq!(
            judged(&started(&blink, 0.0), "1s").verdict,
            Verdict::Invalid
        );
        let idle = [
            GOOD[0],
            GOOD[1],
            GOOD[2],
            (9, State::Ready, State::Cooldown),
        ];
        assert_eq!(judged(&started(&idle, 0.0), "1s").verdict, Verdict::Invalid);
        let long = [GOOD[0], GOOD[1], (11, State::Resting, State::Off)];
        assert_eq!(judged(&started(&long, 0.0), "1s").verdict, Verdict::Fail);
        assert_eq!(judged(&Record::outage(), "1s").verdict, Verdict::Invalid);
    }
}
