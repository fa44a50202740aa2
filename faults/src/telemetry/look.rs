//! Looking for a sign: asking again and again, beside the meters.

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use ridethrough_targets::clock::Micros;
use ridethrough_targets::supervisor::ask::{Point, points};
use ridethrough_targets::telemetry::{Reading, Seen};

use super::evidence::Evidence;
use super::sign::Sign;
use crate::lifecycle::{Asked, Ground, Question};

/// The share of a time that must be measured at least, and by how much more it
/// may be: clients ask now and then.
const TIME: (f64, f64) = (0.9, 0.5);
/// Samples that are remembered.
const MAX_SAMPLES: usize = 4_096;

/// One device on one protocol, and what is looked for.
pub(super) struct Looking<'a> {
    pub(super) ground: &'a Ground,
    pub(super) question: &'a Question,
    pub(super) sign: &'a Sign,
    /// When the fault was injected.
    pub(super) since_us: Micros,
    /// How long an answer took before the fault.
    pub(super) before_ms: f64,
    pub(super) until: Instant,
}

/// What was seen and what the meters showed then.
struct Sample {
    t_us: Micros,
    seen: Seen,
    /// What the card was told last, before it was asked and after it answered.
    truth: Option<Reading>,
    after: Option<Reading>,
}

/// Asks until the sign is seen or time is up.
pub(super) async fn look(looking: Looking<'_>) -> Evidence {
    let sign = looking.sign;
    let mut samples: Vec<Sample> = Vec::new();
    let mut was_true = false;
    let mut last;
    loop {
        let telemetry = &looking.ground.telemetry;
        let truth = telemetry.told(&looking.question.device);
        let Asked { t_us, took, seen } = telemetry
            .ask(&looking.question.device, looking.question.via, sign.wait())
            .await;
        last = shown(&seen);
        if samples.len() == MAX_SAMPLES {
            samples.remove(0);
        }
        let after = telemetry.told(&looking.question.device);
        samples.push(Sample {
            t_us,
            seen,
            truth,
            after,
        });
        let took_ms = took.millis_f64();
        if let Some(evidence) = judge(&looking, &samples, took_ms) {
            return evidence.with("answer_ms", took_ms);
        }
        if Instant::now() >= looking.until {
            if let (Sign::Always(_), true, Some(sample)) = (sign, was_true, samples.last()) {
                return Evidence::seen(sample.t_us).with("answers", samples.len());
            }
            break;
        }
        // The word that ends a fault has a way to go: it counts from the first
        // true answer.
        if matches!(sign, Sign::Always(_)) {
            match untrue(&looking, &samples) {
                Some(wrong) if was_true => {
                    last = wrong;
                    break;
                }
                wrong => was_true |= wrong.is_none(),
            }
        }
        sleep(sign.every()).await;
    }
    Evidence {
        problem: Some(format!("{} ({last})", sign.missing())),
        ..Evidence::default()
    }
}

fn shown(seen: &Seen) -> String {
    match seen {
        Seen::Values(values) => {
            let rows = values.iter().map(|(name, value)| format!("{name} {value}"));
            format!("last it showed {}", rows.collect::<Vec<_>>().join(", "))
        }
        Seen::Stale => "last it said that it has lost the device".into(),
        Seen::Silent => "last nothing came".into(),
        Seen::Refused(why) => format!("last: {why}"),
    }
}

fn judge(looking: &Looking<'_>, samples: &[Sample], took_ms: f64) -> Option<Evidence> {
    let question = looking.question;
    let points = points(question.via, &question.kind);
    let sample = samples.last()?;
    let at = || Evidence::seen(sample.t_us);
    // What does not come, or comes late, was so when it was asked for.
    let asked_us = sample.t_us.saturating_sub((took_ms * 1e3) as Micros);
    let before = || Evidence::seen(asked_us.max(looking.since_us));
    match looking.sign {
        Sign::True => {
            let soon = took_ms <= looking.before_ms * 4.0 + 250.0;
            (soon && points.iter().all(|point| agrees(point, sample))).then(at)
        }
        Sign::Stale => (sample.seen == Seen::Stale).then(at),
        // Where other devices share the card, it says so for the one.
        Sign::Silent => match sample.seen {
            Seen::Silent => Some(before()),
            Seen::Stale if question.shared => Some(at()),
            _ => None,
        },
        Sign::Slow(by) => {
            let answered = matches!(sample.seen, Seen::Values(_));
            let added = took_ms - looking.before_ms;
            (answered && added >= by.millis_f64() * TIME.0)
                .then(|| before().with("added_ms", added))
        }
        Sign::Lie(variable, value) => {
            let (point, seen, truth) = both(points, variable, sample)?;
            let lies = point.shows(&seen, value) && !point.shows(&seen, &truth);
            lies.then(|| at().with(variable, seen).with("meter", truth))
        }
        Sign::Scale(variable, factor) => {
            let (point, seen, truth) = both(points, variable, sample)?;
            let scaled = Json::from(truth.as_f64()? * factor);
            let holds = point.shows(&seen, &scaled) && !point.shows(&seen, &truth);
            holds.then(|| at().with(variable, seen).with("meter", truth))
        }
        Sign::Always(_) => None,
        Sign::Still => still(points, samples),
        Sign::Late(by) => late(points, samples, by.micros()),
        Sign::Flapping(period) => flapping(samples, period.micros()),
        Sign::Backwards => backwards(points, samples),
    }
}

/// What is shown of a point and what the meters show.
fn both<'p>(
    points: &'p [Point],
    variable: &str,
    sample: &Sample,
) -> Option<(&'p Point, Json, Json)> {
    let point = points.iter().find(|point| point.field == variable)?;
    let seen = sample.seen.value(variable)?.clone();
    let truth = point.of(sample.truth.as_ref()?)?;
    Some((point, seen, truth))
}

/// What is shown is what the card was told, before or after.
fn agrees(point: &Point, sample: &Sample) -> bool {
    let Some(seen) = sample.seen.value(point.field) else {
        return false;
    };
    let told = [&sample.truth, &sample.after].into_iter().flatten();
    let mut told = told.filter_map(|reading| point.of(reading));
    told.any(|truth| point.shows(seen, &truth))
}

/// What the last answer shows that the card was not told.
fn untrue(looking: &Looking<'_>, samples: &[Sample]) -> Option<String> {
    let sample = samples.last()?;
    let points = points(looking.question.via, &looking.question.kind);
    let wrong = points.iter().find(|point| !agrees(point, sample))?;
    Some(format!("`{}` is not what it was told", wrong.field))
}

/// The meters have left what is shown, and what is shown has not moved.
fn still(points: &[Point], samples: &[Sample]) -> Option<Evidence> {
    let (first, last) = (samples.first()?, samples.last()?);
    for point in points {
        let Some((_, now, truth)) = both(points, point.field, last) else {
            continue;
        };
        let unmoved = first.seen.value(point.field) == Some(&now);
        if unmoved && !agrees(point, last) {
            let evidence = Evidence::seen(last.t_us);
            return Some(evidence.with(point.field, now).with("meter", truth));
        }
    }
    None
}

/// The meters jumped, what is shown followed, and the time between is right.
fn late(points: &[Point], samples: &[Sample], by_us: Micros) -> Option<Evidence> {
    let last = samples.last()?;
    for point in points {
        let Some((_, now, truth)) = both(points, point.field, last) else {
            continue;
        };
        if !point.shows(&now, &truth) {
            continue;
        }
        // Since when the meters have shown what is shown now, and since when it
        // is shown: both must have begun while somebody looked.
        let since = |holds: &dyn Fn(&Sample) -> bool| {
            let before = samples.iter().rposition(|sample| !holds(sample))?;
            samples.get(before + 1).map(|sample| sample.t_us)
        };
        let moved = since(&|s| {
            let truth = s.truth.as_ref().and_then(|truth| point.of(truth));
            truth.is_some_and(|truth| point.shows(&now, &truth))
        });
        let followed = since(&|s| {
            let seen = s.seen.value(point.field);
            seen.is_some_and(|seen| point.shows(seen, &now))
        });
        if let (Some(moved), Some(followed)) = (moved, followed) {
            let measured = followed.saturating_sub(moved) as f64;
            let asked = by_us as f64;
            if measured >= asked * TIME.0 && measured <= asked * (1.0 + TIME.1) + 500_000.0 {
                let evidence = Evidence::seen(last.t_us);
                return Some(evidence.with("late_ms", measured / 1e3));
            }
        }
    }
    None
}

/// Times at which the agent lost the device, half a period apart from those at
/// which it found it.
fn flapping(samples: &[Sample], period_us: Micros) -> Option<Evidence> {
    let stale = |sample: &Sample| match sample.seen {
        Seen::Stale => Some(true),
        Seen::Values(_) => Some(false),
        _ => None,
    };
    let mut changes = Vec::new();
    for pair in samples.windows(2) {
        if let (Some(before), Some(after)) = (stale(&pair[0]), stale(&pair[1]))
            && before != after
        {
            changes.push(pair[1].t_us);
        }
    }
    // Two halves: from the first change to the third.
    let [first, _, third, ..] = changes.as_slice() else {
        return None;
    };
    let measured = (third - first) as f64;
    let asked = period_us as f64;
    let right = (measured / asked - 1.0).abs() <= TIME.1;
    right.then(|| Evidence::seen(*third).with("period_ms", measured / 1e3))
}

/// What is shown has moved against the meters.
fn backwards(points: &[Point], samples: &[Sample]) -> Option<Evidence> {
    let last = samples.last()?;
    for point in points {
        let Some((_, now, truth)) = both(points, point.field, last) else {
            continue;
        };
        let (Some(now), Some(truth)) = (now.as_f64(), truth.as_f64()) else {
            continue;
        };
        let earlier = samples.iter().rev().skip(1).find_map(|sample| {
            let (_, seen, meter) = both(points, point.field, sample)?;
            let (seen, meter) = (seen.as_f64()?, meter.as_f64()?);
            ((seen - now).abs() > point.step * 0.5).then_some((seen, meter))
        });
        if let Some((seen, meter)) = earlier
            && (now - seen) * (truth - meter) < 0.0
        {
            let evidence = Evidence::seen(last.t_us);
            return Some(
                evidence
                    .with(&format!("{}.before", point.field), seen)
                    .with(&format!("{}.after", point.field), now),
            );
        }
    }
    None
}
