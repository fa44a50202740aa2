//! The timeline of a run: its phases, and its faults beside them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use ridethrough_faults::{Aim, Ground};
use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::ToService;
use ridethrough_targets::units::Span;

use super::desk::Desk;
use super::error::EngineError;
use super::held::HeldClock;
use super::injector::Injector;
use super::nodes::NodeKeeper;
use super::podium::Podium;
use super::power::PowerGrid;
use super::run::Run;
use super::services::has_builtin;
use super::triggers::Triggers;
use crate::plan::PlannedFault;
use crate::record::{Body, PhaseWindow};

/// How long clients go on once all is over, where nobody knew when that would be.
const CLOSING: Span = Span::from_millis(50);

impl Run {
    /// Phases and faults, side by side.
    pub(super) async fn timeline(
        &self,
        grid: PowerGrid,
        desk: Arc<Desk>,
        triggers: Arc<Triggers>,
        origin_us: Micros,
    ) -> Result<(), EngineError> {
        let clock = self.world.clock();
        let times = HeldClock::new(clock, origin_us);
        let ground = Ground {
            power: Arc::new(grid.clone()),
            world: Arc::clone(&self.world),
            telemetry: Arc::<Desk>::clone(&desk),
            machines: Arc::<NodeKeeper>::clone(&self.keeper),
        };
        let nodes: Arc<[_]> = self.plan.nodes.iter().map(|node| node.spec()).collect();
        let injector = |planned: &PlannedFault| Injector {
            clock,
            ground: ground.clone(),
            grid: grid.clone(),
            triggers: Arc::clone(&triggers),
            recorder: self.recorder.clone(),
            victims: self.victims(planned),
            nodes: Arc::clone(&nodes),
            times: times.clone(),
            podium: self.podium.clone(),
            stop: self.stop.clone(),
            disarmed: self.disarm.as_deref() == Some(planned.kind_name),
        };
        let mut faults = JoinSet::new();
        for planned in self.plan.faults.iter().filter(|fault| !fault.manual) {
            self.begin(&mut faults, injector(planned), planned);
        }
        let phases = self.phases(&times);
        tokio::pin!(phases);
        loop {
            tokio::select! {
                biased;
                () = &mut phases => break,
                planned = by_hand(self.podium.as_deref()) => {
                    self.begin(&mut faults, injector(&planned), &planned);
                }
            }
        }
        if let Some(podium) = &self.podium {
            podium.last_call();
        }
        while faults.join_next().await.is_some() {}
        match self.recorder.failure() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Lets a fault take its course. A run in which one got lost is not the
    /// experiment that was planned.
    fn begin(&self, faults: &mut JoinSet<()>, injector: Injector, planned: &PlannedFault) {
        let life = injector.live(planned.clone(), self.aim(planned));
        let (recorder, name) = (self.recorder.clone(), planned.name.clone());
        faults.spawn(async move {
            if let Some(reason) = lost(&name, life).await {
                recorder.now("engine", Body::Invalid { reason });
            }
        });
    }

    /// Each phase when its time comes, and the end of the last one.
    async fn phases(&self, times: &HeldClock) {
        for phase in &self.plan.phases {
            let begins = times.reach(phase.start, Duration::ZERO, &self.stop).await;
            let Some(begins_us) = begins else {
                break;
            };
            let window = PhaseWindow {
                name: phase.name.clone(),
                end_us: begins_us + phase.end.micros() - phase.start.micros(),
            };
            self.recorder.at(begins_us, "engine", Body::Phase(window));
        }
        times
            .reach(self.plan.total, Duration::ZERO, &self.stop)
            .await;
    }

    /// Where people have a say, nobody knows beforehand when all is over: clients are
    /// told now, of a moment that is still to come, so that what they send and what
    /// they had planned is the same in every world.
    pub(super) fn close_clients(&self) {
        if self.podium.is_some() {
            let at_us = self.world.clock().now_us() + CLOSING.micros();
            self.tell_clients(&ToService::Close { at_us });
        }
    }

    /// How long the clients may have to go on: where people can hold the timeline,
    /// their schedule is longer, and they are told when it is over.
    pub(super) fn longest_load(&self) -> Span {
        let held = self
            .podium
            .as_ref()
            .map(|podium| podium.longest(&self.plan));
        Span::from_micros(self.plan.total.micros() + held.unwrap_or_default().micros())
    }

    /// The machines that a fault is aimed at. A link that is cut or impaired
    /// leads to the machines on it; the stack's entry stands for its clients and
    /// is a victim only where nothing else is.
    fn victims(&self, planned: &PlannedFault) -> Vec<String> {
        let Some((a, b)) = &planned.reach.link else {
            return planned.reach.nodes.clone();
        };
        let machines = |name: &&String| self.plan.loads.iter().any(|load| load.name == **name);
        let on_link: Vec<String> = a.iter().chain(b).filter(machines).cloned().collect();
        let behind: Vec<String> = on_link
            .iter()
            .filter(|name| **name != self.plan.entry.0)
            .cloned()
            .collect();
        if behind.is_empty() { on_link } else { behind }
    }

    fn aim(&self, planned: &PlannedFault) -> Aim {
        let reach = &planned.reach;
        let monitor = self.plan.nodes.iter().find(|n| has_builtin(n, "doorman"));
        Aim {
            nodes: reach.nodes.clone(),
            ups: reach.ups.clone(),
            utilities: reach.utilities.clone(),
            pdus: reach.pdus.clone(),
            link: reach.link.clone(),
            questions: reach.questions.clone(),
            volumes: reach.volumes.clone(),
            observer: monitor.map(|n| n.name.clone()),
            site: Some(Arc::new(self.plan.playbook.site.clone())),
        }
    }
}

/// The next fault that somebody injects by hand; never comes where nobody can.
async fn by_hand(podium: Option<&Podium>) -> PlannedFault {
    match podium {
        Some(podium) => podium.order().await,
        None => std::future::pending().await,
    }
}

/// Why a fault did not take its course to the end: a panic, which has been told.
async fn lost(name: &str, life: impl Future<Output = ()>) -> Option<String> {
    let ended = AssertUnwindSafe(life).catch_unwind().await;
    let of_ours = |_| format!("the fault {name} met an error of ridethrough's own");
    ended.err().map(of_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_that_panics_is_not_forgotten() {
        assert_eq!(lost("latency", async {}).await, None);
        let reason = lost("latency", async { panic!("by overflow") }).await;
        assert!(reason.is_some_and(|reason| reason.contains("the fault latency")));
    }
}
