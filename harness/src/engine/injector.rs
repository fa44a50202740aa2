//! One fault's life in a run.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use ridethrough_faults::{Aim, Fault, FaultError, Finding, Ground, Injected, fault};
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{NodeSpec, WorldError};

use super::held::HeldClock;
use super::podium::{Answer, Podium};
use super::power::PowerGrid;
use super::recorder::Recorder;
use super::sockets::{Silence, silences};
use super::triggers::Triggers;
use crate::plan::PlannedFault;
use crate::record::{Body, FaultReceipt, WitnessReport};

/// How long before its time a fault measures what its witness compares with.
const PREPARE: Duration = Duration::from_millis(800);

/// What a witness may take beyond the time in which its fault can be seen.
pub(super) const WITNESS: Duration = Duration::from_secs(120);

/// Carries faults through their lives.
#[derive(Clone)]
pub(crate) struct Injector {
    pub(crate) clock: Clock,
    pub(crate) ground: Ground,
    pub(crate) grid: PowerGrid,
    pub(crate) triggers: Arc<Triggers>,
    pub(crate) recorder: Recorder,
    /// The machines that the fault is aimed at.
    pub(crate) victims: Vec<String>,
    /// Every machine.
    pub(crate) nodes: Arc<[NodeSpec]>,
    /// The times of the playbook.
    pub(crate) times: HeldClock,
    /// Where people have a say.
    pub(crate) podium: Option<Arc<Podium>>,
    /// The run is stopped: heal at once.
    pub(crate) stop: CancellationToken,
    /// It does nothing: whether the witness notices is what is asked.
    pub(crate) disarmed: bool,
}

impl Injector {
    /// From preparation to the witness of its healing. Returns when all that is
    /// over; a stopped run heals at once and asks no further witness.
    pub(crate) async fn live(self, planned: PlannedFault, aim: Aim) {
        // One that is injected by hand has waited for that alone, and is on its way.
        let on_its_way = self.podium.as_ref().filter(|_| planned.manual);
        let _on_its_way = on_its_way.map(|podium| podium.live(&planned));
        let due = match planned.manual {
            true => self.clock.now_us() + PREPARE.as_micros() as Micros,
            false => match self.times.reach(planned.at, PREPARE, &self.stop).await {
                Some(_) => 0,
                None => return,
            },
        };
        if !self.released(&planned).await {
            return;
        }
        let fault = fault(&planned.kind, &aim);
        let before = match self.prepare(fault.as_ref()).await {
            Some(Ok(before)) => before,
            Some(Err(error)) => return self.invalid(&planned, "prepared", &error.to_string()),
            None => return,
        };
        let armed_us = match planned.manual {
            true => self.wait(self.clock.instant(due)).await.then_some(due),
            false => {
                self.times
                    .reach(planned.at, Duration::ZERO, &self.stop)
                    .await
            }
        };
        let Some(armed_us) = armed_us else {
            return;
        };
        let Some(at_us) = self.occasion(&planned, armed_us).await else {
            return;
        };
        let until_us = at_us + planned.lasts.micros();
        let mut injected = match self.inject(fault.as_ref()).await {
            Ok(injected) => injected,
            Err(error) => {
                // What was done of it before it failed is not left.
                let _ = fault.heal(&self.ground, &Injected::default()).await;
                return self.invalid(&planned, "injected", &error.to_string());
            }
        };
        injected.before.extend(before);
        injected.until_us = until_us;
        self.receipt(&planned, fault.as_ref(), &injected, at_us, until_us);
        let live = self.podium.as_ref().map(|podium| podium.live(&planned));
        let (_, _, healed) = tokio::join!(
            self.silence(&planned, injected.at_us),
            self.witness(&planned, fault.as_ref(), &injected),
            self.heal(&planned, fault.as_ref(), &injected, until_us),
        );
        drop(live);
        if healed {
            self.witness_healed(&planned, fault.as_ref(), &injected)
                .await;
        }
    }

    /// Waits for the crew where the fault does; false where it is left out. The
    /// timeline stands meanwhile, and what is live heals when it is due.
    async fn released(&self, planned: &PlannedFault) -> bool {
        let Some(podium) = &self.podium else {
            return true;
        };
        let Some(question) = podium.question(planned) else {
            return true;
        };
        let standing = self.times.hold();
        let answer = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            answer = podium.ask(planned, question) => Some(answer),
        };
        if let Some(held_us) = standing.go_on() {
            self.recorder.now("engine", Body::Resumed { held_us });
        }
        match answer {
            None => {
                podium.withdraw(planned.index);
                false
            }
            Some(Answer::Go) => true,
            Some(Answer::Skip) => {
                let reason = format!("the conductor left out the fault {}", planned.name);
                self.recorder.now("engine", Body::Invalid { reason });
                false
            }
            Some(Answer::Silence(limit)) => {
                let name = &planned.name;
                let reason = format!("nobody released the fault {name} within {limit}");
                self.recorder.now("engine", Body::Invalid { reason });
                self.stop.cancel();
                false
            }
        }
    }

    /// Nothing where the run was stopped first.
    async fn prepare(
        &self,
        fault: &dyn Fault,
    ) -> Option<Result<IndexMap<String, f64>, FaultError>> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            prepared = fault.prepare(&self.ground) => Some(prepared),
            () = tokio::time::sleep(WITNESS) => {
                let error = WorldError::Failed(format!("nothing was measured within {WITNESS:?}"));
                Some(Err(error.into()))
            }
        }
    }

    /// When the fault is due: now, or when what it waits for comes. Nothing
    /// where that never comes, or the run is stopped.
    async fn occasion(&self, planned: &PlannedFault, armed_us: Micros) -> Option<Micros> {
        let Some(occasion) = &planned.occasion else {
            return Some(armed_us);
        };
        let until = self.clock.instant(armed_us + occasion.within.micros());
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            met = self.triggers.met(occasion, &self.grid) => {
                let text = format!("{} was armed, and {}", planned.name, occasion.text);
                self.recorder.at(met, "engine", Body::Note { text });
                Some(met)
            }
            () = tokio::time::sleep_until(until) => {
                let reason = format!(
                    "the fault {} waited until {} for its occasion ({}), which never came",
                    planned.name,
                    Span::from_micros(planned.at.micros() + occasion.within.micros()),
                    occasion.text
                );
                self.recorder.now("engine", Body::Invalid { reason });
                None
            }
        }
    }

    async fn inject(&self, fault: &dyn Fault) -> Result<Injected, FaultError> {
        if self.disarmed {
            return Ok(Injected {
                at_us: self.clock.now_us(),
                ..Injected::default()
            });
        }
        fault.inject(&self.ground).await
    }

    /// False when the run was stopped first.
    async fn wait(&self, until: tokio::time::Instant) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep_until(until) => true,
        }
    }

    /// It may take as long as the fault lasts, and what its looks take.
    async fn witness(&self, planned: &PlannedFault, fault: &dyn Fault, injected: &Injected) {
        let late = planned.lasts.duration() + WITNESS;
        let finding = self
            .found(fault.witness(&self.ground, injected), late)
            .await;
        let Some(mut finding) = finding else {
            return;
        };
        // What was seen then is not what the fault did.
        let over = self.clock.now_us() >= injected.until_us;
        if over && !finding.effective && planned.lasts > Span::default() {
            finding.problem = format!(
                "it was over after {} and before the look at it was: {}",
                planned.lasts, finding.problem
            );
        }
        self.report(planned.index, "injected", finding);
    }

    async fn witness_healed(&self, planned: &PlannedFault, fault: &dyn Fault, injected: &Injected) {
        let looking = fault.witness_healed(&self.ground, injected);
        if let Some(finding) = self.found(looking, WITNESS).await {
            self.report(planned.index, "healed", finding);
        }
    }

    /// What a witness found within a bound; nothing where the run was stopped.
    async fn found(
        &self,
        looking: impl Future<Output = Finding>,
        late: Duration,
    ) -> Option<Finding> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            finding = looking => Some(finding),
            () = tokio::time::sleep(late) => {
                let problem = format!("it had seen nothing after {late:?}");
                Some(Finding::by("a bound on time").conclude(vec![problem]))
            }
        }
    }

    /// What others hold towards machines that the fault silences.
    async fn silence(&self, planned: &PlannedFault, since_us: Micros) {
        if !silences(planned.kind_name) || self.disarmed {
            return;
        }
        let nodes: Vec<&NodeSpec> = self.nodes.iter().collect();
        let silence = Silence {
            cause: planned.kind_name,
            fault: Some(planned.index),
            since_us,
            victims: &self.victims,
            nodes: &nodes,
        };
        let world = self.ground.world.as_ref();
        silence.record(world, &self.recorder).await;
    }

    async fn heal(
        &self,
        planned: &PlannedFault,
        fault: &dyn Fault,
        injected: &Injected,
        until_us: Micros,
    ) -> bool {
        self.wait(self.clock.instant(until_us)).await;
        match fault.heal(&self.ground, injected).await {
            Ok(()) => {
                self.recorder.now(
                    "engine",
                    Body::FaultHealed {
                        fault: planned.index,
                    },
                );
                true
            }
            Err(error) => {
                self.invalid(planned, "healed", &error.to_string());
                false
            }
        }
    }

    fn receipt(
        &self,
        planned: &PlannedFault,
        fault: &dyn Fault,
        injected: &Injected,
        requested_us: Micros,
        until_us: Micros,
    ) {
        let receipt = FaultReceipt {
            fault: planned.index,
            fault_kind: planned.kind_name.to_string(),
            target: planned.target.clone(),
            nodes: self.victims.clone(),
            ups: planned.reach.ups.clone(),
            requested_us,
            injected_us: injected.at_us,
            until_us,
            requested: fault.requested(),
        };
        self.recorder
            .at(injected.at_us, "engine", Body::FaultInjected(receipt));
    }

    fn report(&self, fault: usize, stage: &str, finding: Finding) {
        let report = WitnessReport {
            fault,
            witness: finding.witness.to_string(),
            stage: stage.to_string(),
            effective: finding.effective,
            observed_us: finding.observed_us,
            measured: finding.measured,
            problem: finding.problem,
        };
        self.recorder.now("engine", Body::Witness(report));
    }

    fn invalid(&self, planned: &PlannedFault, what: &str, error: &str) {
        let reason = format!("the fault {} could not be {what}: {error}", planned.name);
        self.recorder.now("engine", Body::Invalid { reason });
    }
}
