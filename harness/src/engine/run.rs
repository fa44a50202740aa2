//! One run from the first boot to the last line of its record.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use ridethrough_faults::{Aim, Ground};
use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::Plant;
use ridethrough_targets::service::{Draw, Program, ToService};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::World;

use super::bounds::{DRAIN, LEDGER_BOUND, mind, model_load};
use super::cards::Told;
use super::desk::Desk;
use super::ears::Ears;
use super::error::EngineError;
use super::health;
use super::held::HeldClock;
use super::injector::Injector;
use super::nodes::NodeKeeper;
use super::podium::Podium;
use super::power::{PowerGrid, Wiring};
use super::readiness::Readiness;
use super::recorder::Recorder;
use super::rehearse::{Recordings, rehearse};
use super::services::{doors, has_builtin, with_recordings, with_schedule};
use super::switches::Switches;
use super::triggers::Triggers;
use crate::judge::{Abort, Watchman};
use crate::load::Rehearsed;
use crate::plan::{NodeRole, Plan, PlannedFault, draws, looks};
use crate::record::{Body, Event, PhaseWindow, RunHeader};

/// From the clients' boot to their first request.
const LEAD: Span = Span::from_millis(400);
/// What to run, where, and who watches.
pub struct RunRequest {
    /// What will happen.
    pub plan: Plan,
    /// Where.
    pub world: Arc<dyn World>,
    /// The record's path.
    pub record: PathBuf,
    /// Its first line.
    pub header: RunHeader,
    /// Sees events as they are written, as many as it has room for.
    pub watcher: Option<mpsc::Sender<Event>>,
    /// Stops the run: everything is healed, and the record says so.
    pub stop: CancellationToken,
    /// The injectors of this kind of fault do nothing.
    pub disarm: Option<String>,
    /// Sees every event and may end the run at once.
    pub watchman: Option<Watchman>,
    /// Where people have a say, on a game day.
    pub podium: Option<Arc<Podium>>,
    /// Cancelled when nobody is left to put the host back, were this process
    /// to die.
    pub unguarded: Option<CancellationToken>,
}

/// Carries a plan out. The record holds everything; the world is closed in any
/// case before this returns.
pub async fn run(mut request: RunRequest) -> Result<(), EngineError> {
    let world = Arc::clone(&request.world);
    let recorder = Recorder::create(&request.record, world.clock(), request.watcher.clone())?;
    recorder.now("engine", Body::Run(request.header.clone()));
    let podium = request.podium.clone();
    if let Some(podium) = &podium {
        podium.open(recorder.clone(), &request.plan);
    }
    let ended = CancellationToken::new();
    let unguarded = request.unguarded.clone();
    if let Some(watchman) = request.watchman.take() {
        recorder.watch(watchman);
    }
    let run = Run::new(request, recorder.clone(), ended.clone());
    let minding = tokio::spawn(mind(
        recorder.clone(),
        unguarded.unwrap_or_default(),
        run.stop.clone(),
    ));
    let outcome = run.carry_out().await;
    minding.abort();
    if let Some(podium) = &podium {
        podium.close();
    }
    ended.cancel();
    let closed = world.close().await;
    let how = match &outcome {
        Ok(how) => (*how).to_string(),
        Err(error) => {
            recorder.now(
                "engine",
                Body::Invalid {
                    reason: error.reason(),
                },
            );
            "failed".to_string()
        }
    };
    recorder.now("engine", Body::End { how });
    if let Some(failure) = recorder.failure() {
        return Err(failure);
    }
    outcome?;
    closed?;
    Ok(())
}

struct Run {
    plan: Plan,
    world: Arc<dyn World>,
    recorder: Recorder,
    /// The user stops the run.
    asked: CancellationToken,
    /// The run stops: the user or the world will have it so.
    stop: CancellationToken,
    keeper: Arc<NodeKeeper>,
    readiness: Arc<Readiness>,
    /// The kind of fault whose injectors do nothing.
    disarm: Option<String>,
    podium: Option<Arc<Podium>>,
    /// Where nodes log.
    logs: PathBuf,
    /// Cancelled when the run is over, so that the plant stops.
    ended: CancellationToken,
}

impl Run {
    fn new(request: RunRequest, recorder: Recorder, ended: CancellationToken) -> Self {
        let machines = request
            .plan
            .nodes
            .iter()
            .filter(|n| !has_builtin(n, "load"));
        let keeper = NodeKeeper::new(
            Arc::clone(&request.world),
            recorder.clone(),
            machines.map(|n| (n.spec(), n.boot.duration())),
            ended.clone(),
        );
        Self {
            logs: request.record.with_file_name("logs"),
            plan: request.plan,
            world: request.world,
            recorder,
            stop: request.stop.child_token(),
            asked: request.stop,
            disarm: request.disarm,
            podium: request.podium,
            keeper,
            readiness: Arc::default(),
            ended,
        }
    }

    async fn carry_out(self) -> Result<&'static str, EngineError> {
        let plant = Plant::new(&self.plan.playbook.site, &self.plan.loads).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            EngineError::NotReady(problems.join("; "))
        })?;
        let told = Told::default();
        let wiring = self.wiring(Arc::clone(&told));
        let grid = PowerGrid::start(plant, wiring, self.ended.clone());
        self.keeper.when_up(self.foreign_work(grid.clone()));
        let desk = Arc::new(self.desk(told));
        let triggers = Arc::new(Triggers::new(&self.world));
        let (loads_done, done) = watch::channel(0);
        let (rehearsed, told_of_pass) = mpsc::unbounded_channel();
        if let Some(events) = self.world.events() {
            let ears = Ears {
                recorder: self.recorder.clone(),
                grid: grid.clone(),
                readiness: Arc::clone(&self.readiness),
                desk: Arc::clone(&desk),
                triggers: Arc::clone(&triggers),
                loads_done,
                rehearsed,
                halt: self.stop.clone(),
                progress: IndexMap::new(),
            };
            tokio::spawn(ears.listen(events));
        }
        let interrupted = tokio::select! {
            biased;
            () = self.stop.cancelled() => true,
            up = self.bring_up() => { up?; false }
        };
        if interrupted {
            return Ok(self.how());
        }
        let Some(recordings) = self.rehearse(told_of_pass).await? else {
            return Ok(self.how());
        };
        let origin_us = self.world.clock().now_us() + LEAD.micros();
        self.start_clients(origin_us, &recordings).await?;
        grid.start_profiles(origin_us);
        self.timeline(grid.clone(), desk, triggers, origin_us)
            .await?;
        self.drain(done).await;
        if let Some(ledger) = grid.energy().await {
            self.recorder.now("plant", Body::Energy(ledger));
        }
        Ok(self.how())
    }

    /// Tells the plant what a machine draws for services that do not tell.
    fn foreign_work(&self, grid: PowerGrid) -> impl Fn(&str) + Send + Sync + 'static {
        let draws = draws(&self.plan.playbook.stack);
        let clock = self.world.clock();
        move |node| {
            if let Some(utilisation) = draws.get(node) {
                let draw = Draw {
                    t_us: clock.now_us(),
                    utilisation: *utilisation,
                    tokens_per_s: 0.0,
                    step_ms: 0.0,
                };
                grid.draw(node, &draw);
            }
        }
    }

    fn how(&self) -> &'static str {
        let broken = matches!(self.recorder.aborted(), Some(Abort::Broken(_)));
        match (self.asked.is_cancelled(), self.stop.is_cancelled()) {
            (true, _) => "interrupted",
            (false, true) if broken => "aborted",
            (false, true) => "stopped",
            (false, false) => "completed",
        }
    }

    fn wiring(&self, told: Told) -> Wiring {
        let site = &self.plan.playbook.site;
        let names = |keys: Vec<&String>| keys.into_iter().cloned().collect::<Vec<_>>();
        let mut metered = names(site.utilities.keys().collect());
        metered.extend(site.ups.keys().cloned());
        metered.extend(site.pdus.keys().cloned());
        let services = self.plan.nodes.iter().map(|n| {
            (
                n.name.clone(),
                n.services
                    .iter()
                    .map(|s| s.name.clone())
                    .collect::<Vec<_>>(),
            )
        });
        Wiring {
            clock: self.world.clock(),
            world: Arc::clone(&self.world),
            recorder: self.recorder.clone(),
            keeper: Arc::clone(&self.keeper),
            ups: names(site.ups.keys().collect()),
            cards: self
                .cards()
                .flat_map(|(node, devices)| devices.iter().map(|d| (d.clone(), node.clone())))
                .collect(),
            told,
            fed: site.cards.clone(),
            switches: Switches::new(
                Arc::clone(&self.world),
                self.recorder.clone(),
                self.plan.switches.clone(),
                self.plan.hosts.keys().cloned().collect(),
            ),
            metered,
            cooling: names(site.cooling.keys().collect()),
            machines: self.plan.loads.iter().map(|l| l.name.clone()).collect(),
            services: services.collect(),
        }
    }

    /// The nodes of cards, with the devices behind them.
    fn cards(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.plan.nodes.iter().filter_map(|node| match &node.role {
            NodeRole::Card { devices } => Some((&node.name, devices)),
            _ => None,
        })
    }

    fn desk(&self, told: Told) -> Desk {
        let cards = self
            .cards()
            .map(|(node, devices)| (node.clone(), devices.clone()));
        let probe = self.plan.nodes.iter().find(|n| has_builtin(n, "probe"));
        Desk::new(
            &self.world,
            cards.collect(),
            probe.map(|n| n.name.clone()).unwrap_or_default(),
            told,
        )
    }

    /// Boots everything but the clients and waits until it can be used.
    async fn bring_up(&self) -> Result<(), EngineError> {
        let mut boots = JoinSet::new();
        let mut awaited = Vec::new();
        for node in self.plan.nodes.iter().filter(|n| !has_builtin(n, "load")) {
            for service in &node.services {
                match &service.program {
                    Program::Builtin { name, config } if name == "doorman" => {
                        awaited.extend(doors(config).into_iter().map(|d| (d, String::new())));
                    }
                    Program::Builtin { name, .. } if name != "watch" => {
                        awaited.push((node.name.clone(), service.name.clone()));
                    }
                    // A service of others is ready when its door opens, or when
                    // a look at it says so.
                    _ => {}
                }
            }
            let (keeper, name) = (Arc::clone(&self.keeper), node.name.clone());
            boots.spawn(async move { keeper.boot_first(&name).await });
        }
        let looks = looks(&self.plan.playbook.stack);
        let looked = looks.iter().map(|l| (l.node.clone(), l.service.clone()));
        awaited.extend(looked);
        let _watching = health::watch(
            looks,
            &self.world,
            &self.logs,
            &self.readiness,
            &self.recorder,
        );
        while let Some(booted) = boots.join_next().await {
            booted.map_err(|error| EngineError::NotReady(error.to_string()))??;
        }
        let bound = self.plan.playbook.stack.ready_within.duration() + model_load(&self.plan);
        self.readiness.wait(&awaited, bound, &self.logs).await
    }

    /// What the fault-free pass recorded; none where the run is over with it.
    async fn rehearse(
        &self,
        told: mpsc::UnboundedReceiver<Rehearsed>,
    ) -> Result<Option<Recordings>, EngineError> {
        let pass = rehearse(&self.plan, &self.world, &self.recorder, told);
        let outcome = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(None),
            outcome = pass => outcome?,
        };
        Ok(match outcome {
            Ok(recordings) => Some(recordings),
            Err(reason) => {
                self.recorder.now("engine", Body::Invalid { reason });
                self.stop.cancel();
                None
            }
        })
    }

    /// Boots the clients, whose schedule begins at `origin_us`. They have booted
    /// before where something was recorded.
    async fn start_clients(
        &self,
        origin_us: Micros,
        recordings: &Recordings,
    ) -> Result<(), EngineError> {
        let boot = u32::from(!recordings.is_empty());
        for node in self.plan.nodes.iter().filter(|n| has_builtin(n, "load")) {
            let spec = with_schedule(node.spec(), origin_us, self.longest_load());
            let spec = with_recordings(spec, recordings);
            self.recorder.now(
                "engine",
                Body::NodeBoot {
                    node: spec.name.clone(),
                    boot,
                },
            );
            self.world.boot(&spec, boot).await?;
            self.recorder
                .now("engine", Body::NodeUp { node: spec.name });
        }
        Ok(())
    }

    /// Phases and faults, side by side.
    async fn timeline(
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
            faults.spawn(injector(planned).live(planned.clone(), self.aim(planned)));
        }
        let phases = self.phases(&times);
        tokio::pin!(phases);
        loop {
            tokio::select! {
                biased;
                () = &mut phases => break,
                planned = by_hand(self.podium.as_deref()) => {
                    faults.spawn(injector(&planned).live(planned.clone(), self.aim(&planned)));
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

    /// How long the clients may have to go on: where people can hold the timeline,
    /// their schedule is longer, and they are told when it is over.
    fn longest_load(&self) -> Span {
        let held = self
            .podium
            .as_ref()
            .map(|podium| podium.longest(&self.plan));
        Span::from_micros(self.plan.total.micros() + held.unwrap_or_default().micros())
    }

    /// Waits until every load has told its last row, within a bound.
    async fn drain(&self, mut done: watch::Receiver<usize>) {
        let word = match self.stop.is_cancelled() {
            true => Some(ToService::Stop),
            false => self.podium.as_ref().map(|_| ToService::Close),
        };
        if let Some(word) = word {
            for node in self.plan.nodes.iter().filter(|n| has_builtin(n, "load")) {
                for service in &node.services {
                    self.world.say(&node.name, &service.name, word.clone());
                }
            }
        }
        let loads = self.plan.clients();
        let told = tokio::time::timeout(
            DRAIN.duration() + LEDGER_BOUND,
            done.wait_for(|done| *done >= loads),
        );
        if !matches!(told.await, Ok(Ok(_))) {
            let reason = "the clients did not tell the end of their ledger".to_string();
            self.recorder.now("engine", Body::Invalid { reason });
        }
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
