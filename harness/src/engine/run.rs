//! One run from the first boot to the last line of its record.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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
use crate::plan::{NodeRole, Plan, draws, looks};
use crate::record::{Body, Event, RunHeader};

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

pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) world: Arc<dyn World>,
    pub(super) recorder: Recorder,
    /// The user stops the run.
    asked: CancellationToken,
    /// The run stops: the user or the world will have it so.
    pub(super) stop: CancellationToken,
    pub(super) keeper: Arc<NodeKeeper>,
    readiness: Arc<Readiness>,
    /// The kind of fault whose injectors do nothing.
    pub(super) disarm: Option<String>,
    pub(super) podium: Option<Arc<Podium>>,
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

    /// Says a word to every load and writer.
    pub(super) fn tell_clients(&self, word: &ToService) {
        for node in self.plan.nodes.iter().filter(|n| has_builtin(n, "load")) {
            for service in &node.services {
                self.world.say(&node.name, &service.name, word.clone());
            }
        }
    }

    /// Waits until every load has told its last row, within a bound.
    async fn drain(&self, mut done: watch::Receiver<usize>) {
        match self.stop.is_cancelled() {
            true => self.tell_clients(&ToService::Stop),
            false => self.close_clients(),
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
}
