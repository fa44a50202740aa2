//! A generator that fails.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{GeneratorFault, PlantAction};
use ridethrough_targets::telemetry::{GeneratorReading, GeneratorStatus, Reading};

use super::device::{act, inspect, mute, seconds, until_end, word};
use crate::catalogue::GeneratorFails;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How much longer than a sound one it must crank in vain.
const MARGIN_US: Micros = 100_000;
/// How far the time to overheating may be from what was asked.
const TOLERANCE_US: Micros = 200_000;
/// Nobody takes a source whose frequency is further off, as a share.
const UNACCEPTABLE_HZ: f64 = 0.05;

/// A generator and what is wrong with it.
pub(crate) struct Generator {
    aim: Aim,
    name: String,
    how: GeneratorFault,
}

/// What the generator was seen to do, and since when.
#[derive(Default)]
struct Story {
    cranking: Option<Micros>,
    loaded: Option<Micros>,
    /// It carried load from the first look on.
    was_loaded: bool,
    looks: u32,
    ran: bool,
}

/// It is seen to fail as it should, or not to.
type Seen = Result<Vec<(&'static str, Value)>, String>;

impl Generator {
    pub(crate) fn new(aim: Aim, asked: GeneratorFails) -> Self {
        Self {
            aim,
            name: asked.generator,
            how: asked.how,
        }
    }

    fn read(&self, ground: &Ground) -> Option<GeneratorReading> {
        match ground.power.reading(&self.name) {
            Some(Reading::Generator(reading)) => Some(reading),
            _ => None,
        }
    }

    /// From the first turn of the starter to good voltage, where it is sound.
    fn crank_us(&self) -> Micros {
        let site = self.aim.site.as_ref();
        let it = site.and_then(|site| site.generators.get(&self.name));
        it.map_or(0, |it| it.crank.micros())
    }

    fn nominal_hz(&self) -> f64 {
        let site = self.aim.site.as_ref();
        site.map_or(50.0, |site| site.nominal.frequency.get())
    }

    fn defect(&self) -> &'static str {
        match self.how {
            GeneratorFault::Start => "does not start",
            GeneratorFault::Trip => "tripped",
            GeneratorFault::Unstable => "unstable",
            GeneratorFault::Overheat { .. } => "overheats",
        }
    }

    fn look(&self, story: &mut Story, now: Micros, reading: &GeneratorReading) -> Option<Seen> {
        story.see(now, reading);
        let in_fault = reading.status == GeneratorStatus::Fault;
        match self.how {
            GeneratorFault::Start => self.starts(story, now, reading),
            GeneratorFault::Trip => in_fault.then(|| Ok(vec![("v", reading.v.round().into())])),
            GeneratorFault::Unstable => {
                let off = (reading.hz / self.nominal_hz() - 1.0).abs();
                (story.ran && reading.v > 0.0 && off > UNACCEPTABLE_HZ).then(|| {
                    let v = ("v", reading.v.round().into());
                    Ok(vec![v, ("hz", reading.hz.into())])
                })
            }
            GeneratorFault::Overheat { after } if in_fault => {
                let carried = now - story.loaded.unwrap_or(now);
                let late = carried > after.micros() + TOLERANCE_US;
                let early = carried + TOLERANCE_US < after.micros() && !story.was_loaded;
                Some(if late || early || reading.fault != "overheated" {
                    let (name, why) = (&self.name, &reading.fault);
                    let carried = seconds(carried);
                    Err(format!(
                        "{name} stopped after {carried} s under load: {why}"
                    ))
                } else {
                    Ok(vec![("loaded_s", seconds(carried).into())])
                })
            }
            GeneratorFault::Overheat { .. } => None,
        }
    }

    /// It cranks for longer than a sound one needs, or gives an attempt up.
    fn starts(&self, story: &Story, now: Micros, reading: &GeneratorReading) -> Option<Seen> {
        let cranked = now - story.cranking?;
        if story.ran {
            return Some(Err(format!("{} started all the same", self.name)));
        }
        let vain = cranked >= self.crank_us() + MARGIN_US;
        let gave_up = reading.attempts > 1 || reading.fault == "does not start";
        (vain || gave_up).then(|| {
            let attempts = ("attempts", reading.attempts.into());
            Ok(vec![attempts, ("cranked_s", seconds(cranked).into())])
        })
    }

    /// Why nothing was seen until the end.
    fn excuse(&self, story: &Story) -> String {
        let name = &self.name;
        let never = |what: &str| format!("the occasion never came: {name} {what}");
        match self.how {
            GeneratorFault::Trip => format!("{name} is not in fault"),
            GeneratorFault::Start if story.cranking.is_some() => {
                format!("{name} did not crank for longer than a sound one does")
            }
            GeneratorFault::Start => never("was not asked to start while the fault lasted"),
            GeneratorFault::Unstable if story.ran => {
                format!("{name} ran with a frequency that others accept")
            }
            GeneratorFault::Unstable => never("did not run while the fault lasted"),
            GeneratorFault::Overheat { .. } if story.loaded.is_some() => {
                format!("{name} carried load and did not overheat")
            }
            GeneratorFault::Overheat { .. } => never("carried no load while the fault lasted"),
        }
    }
}

impl Story {
    fn see(&mut self, now: Micros, reading: &GeneratorReading) {
        use GeneratorStatus as S;
        if reading.status == S::Cranking {
            self.cranking.get_or_insert(now);
        }
        if reading.status == S::Loaded && self.loaded.is_none() {
            self.loaded = Some(now);
            self.was_loaded = self.looks == 0;
        }
        self.ran |= matches!(reading.status, S::Ready | S::Loaded | S::Cooldown);
        self.looks += 1;
    }
}

#[async_trait]
impl Fault for Generator {
    fn requested(&self) -> IndexMap<String, Value> {
        let mut asked = IndexMap::from([("how".to_string(), self.defect().into())]);
        if let GeneratorFault::Overheat { after } = self.how {
            asked.insert("loaded_s".into(), after.secs_f64().into());
        }
        asked
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let action = PlantAction::GeneratorFails {
            generator: self.name.clone(),
            how: self.how,
        };
        act(ground, [action]).await
    }

    /// A stopped generator shows at once. One that does not start shows when it
    /// is asked to, an unstable one when it runs, one that overheats when it has
    /// carried load.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = Finding::by("generator panel and meters");
        let clock = ground.world.clock();
        let mut story = Story::default();
        let mut last = None;
        let mut seen_us = 0;
        let seen = until_end(ground, injected, || {
            let reading = self.read(ground)?;
            seen_us = clock.now_us();
            let seen = self.look(&mut story, seen_us, &reading);
            last = Some(reading.status);
            seen
        })
        .await;
        let Some(status) = last else {
            return mute(finding, &self.name);
        };
        finding = finding.with(&format!("{}.status", self.name), word(status));
        match seen {
            Some(Ok(measured)) => {
                finding.observed_us = Some(seen_us);
                for (what, value) in measured {
                    finding = finding.with(&format!("{}.{what}", self.name), value);
                }
                finding.conclude(Vec::new())
            }
            Some(Err(problem)) => finding.conclude(vec![problem]),
            None => finding.conclude(vec![self.excuse(&story)]),
        }
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let generator = self.name.clone();
        act(ground, [PlantAction::GeneratorRestored { generator }]).await?;
        Ok(())
    }

    /// An inspection finds nothing, and its panel shows no fault.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let mut finding = Finding::by("inspection and generator panel");
        let mut problems: Vec<String> = inspect(ground, &self.name, self.defect())
            .into_iter()
            .collect();
        let Some(reading) = self.read(ground) else {
            return mute(finding, &self.name);
        };
        finding = finding.with(&format!("{}.status", self.name), word(reading.status));
        if reading.status == GeneratorStatus::Fault {
            problems.push(format!("{} is in fault: {}", self.name, reading.fault));
        }
        finding.conclude(problems)
    }
}
