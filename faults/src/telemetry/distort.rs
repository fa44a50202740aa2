//! Telemetry faults of every kind: they are injected alike, and told apart by
//! the sign that a client of the protocol must see.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::supervisor::ask::points;
use ridethrough_targets::telemetry::{Distorted, Distortion, Protocol};
use ridethrough_targets::units::Span;

use super::evidence::Evidence;
use super::look::{Looking, look};
use super::sign::Sign;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected, Question};

/// How long an agent may take to show a distortion that needs no occasion.
const SETTLE: Duration = Duration::from_secs(5);
/// With more agents than this, what was measured at each is not told.
const EACH: usize = 4;
const WITNESS: &str = "a client of the protocol";

/// Distorted telemetry.
pub(crate) struct Distort {
    aim: Aim,
    distorted: Option<Distorted>,
}

impl Distort {
    /// `asked` is what is done, on which devices and protocols; empty means all.
    pub(crate) fn new(aim: Aim, asked: Option<(Distortion, &[String], &[Protocol])>) -> Self {
        let distorted = asked.map(|(how, devices, via)| Distorted {
            how,
            devices: devices.to_vec(),
            protocols: via.to_vec(),
        });
        Self { aim, distorted }
    }

    /// Questions that a client can ask at all.
    fn questions(&self) -> impl Iterator<Item = &Question> {
        let readable = |q: &&Question| !points(q.via, &q.kind).is_empty();
        self.aim.questions.iter().filter(readable)
    }

    /// Asks every device by every protocol until each shows the sign.
    async fn signs(&self, ground: &Ground, injected: &Injected, sign: &Sign) -> Finding {
        let mut looks = Vec::new();
        for question in self.questions() {
            let looking = Looking {
                ground,
                question,
                sign,
                since_us: injected.at_us,
                before_ms: before(injected, question),
                until: deadline(ground, injected, sign),
            };
            looks.push(look(looking));
        }
        let found: Vec<Evidence> = futures_util::future::join_all(looks).await;
        let mut finding = Finding::by(WITNESS);
        let mut problems = Vec::new();
        let each = found.len() <= EACH;
        let seen = found.iter().filter(|e| e.problem.is_none()).count();
        finding = finding.with("agents", seen);
        for (question, evidence) in self.questions().zip(found) {
            let who = format!("{}.{}", question.device, question.via.name());
            for (name, value) in evidence.measured.into_iter().filter(|_| each) {
                finding = finding.with(&format!("{who}.{name}"), value);
            }
            match evidence.problem {
                Some(problem) => problems.push(format!(
                    "{} by {}: {problem}",
                    question.device,
                    question.via.name()
                )),
                None => finding.observed_us = latest(finding.observed_us, evidence.seen_us),
            }
        }
        if self.questions().next().is_none() {
            problems.push("no client reads any of these devices".into());
        }
        finding.conclude(problems)
    }
}

fn latest(a: Option<Micros>, b: Option<Micros>) -> Option<Micros> {
    a.max(b)
}

fn before(injected: &Injected, question: &Question) -> f64 {
    injected.before.get(&name(question)).copied().unwrap_or(0.0)
}

fn name(question: &Question) -> String {
    format!("{}.{}.answer_ms", question.device, question.via.name())
}

/// What needs an occasion has until the fault ends.
fn deadline(ground: &Ground, injected: &Injected, sign: &Sign) -> tokio::time::Instant {
    match sign.needs_occasion() {
        true => ground.world.clock().instant(injected.until_us),
        false => tokio::time::Instant::now() + SETTLE + sign.span(),
    }
}

#[async_trait]
impl Fault for Distort {
    fn requested(&self) -> IndexMap<String, Value> {
        let agents = self.questions().count();
        let mut requested = IndexMap::from([("agents".to_string(), agents.into())]);
        let Some(distorted) = &self.distorted else {
            return requested;
        };
        let mut put = |name: &str, value: Value| requested.insert(name.to_string(), value);
        match &distorted.how {
            Distortion::Delayed { by } | Distortion::Slow { by } => {
                put("by_ms", by.millis_f64().into());
            }
            Distortion::Lie { variable, value } => {
                put(variable, value.clone());
            }
            Distortion::Scale { variable, factor } => {
                put(&format!("{variable}.factor"), (*factor).into());
            }
            Distortion::Flapping { period } => {
                put("period_ms", period.millis_f64().into());
            }
            Distortion::Stale | Distortion::Frozen | Distortion::Lost | Distortion::OutOfOrder => {}
        }
        requested
    }

    /// How long each device takes to answer.
    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        for question in self.questions() {
            let asked = ground
                .telemetry
                .ask(&question.device, question.via, Sign::patience())
                .await;
            before.insert(name(question), asked.took.millis_f64());
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let Some(distorted) = &self.distorted else {
            return Err(FaultError::NoTarget);
        };
        if self.questions().next().is_none() {
            return Err(FaultError::NoTarget);
        }
        let number = ground.telemetry.distort(distorted);
        Ok(Injected {
            at_us: ground.world.clock().now_us(),
            distortion: Some(number),
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let Some(distorted) = &self.distorted else {
            return Finding::by(WITNESS).conclude(vec!["nothing was asked".into()]);
        };
        let sign = Sign::of(&distorted.how);
        self.signs(ground, injected, &sign).await
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        if let Some(number) = injected.distortion {
            ground.telemetry.restore(number);
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        // One true answer proves nothing where every other one is true.
        let sign = match self.distorted.as_ref().map(|d| &d.how) {
            Some(Distortion::OutOfOrder) => Sign::Always(Span::default()),
            Some(Distortion::Flapping { period }) => Sign::Always(*period),
            _ => Sign::True,
        };
        self.signs(ground, injected, &sign).await
    }
}
