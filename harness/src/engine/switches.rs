//! Top-of-rack switches: dark while their supply is, forwarding again after a
//! boot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use ridethrough_targets::world::{Direction, Impairment, LinkRule, RuleId, World};

use super::recorder::Recorder;
use crate::plan::PlannedSwitch;
use crate::record::Body;

/// The switches of a site.
#[derive(Clone)]
pub(crate) struct Switches {
    world: Arc<dyn World>,
    recorder: Recorder,
    planned: Arc<IndexMap<String, PlannedSwitch>>,
    /// Every node of the run: who is cut off is cut off from all of them.
    everybody: Arc<Vec<String>>,
    state: Arc<Mutex<BTreeMap<String, State>>>,
}

/// What is so of one switch.
#[derive(Default)]
struct State {
    /// In force while it is dark.
    rule: Option<RuleId>,
    /// Grows with every change of its supply, so that a boot that was overtaken
    /// knows it.
    generation: u64,
}

impl Switches {
    pub(crate) fn new(
        world: Arc<dyn World>,
        recorder: Recorder,
        planned: IndexMap<String, PlannedSwitch>,
        everybody: Vec<String>,
    ) -> Self {
        Self {
            world,
            recorder,
            planned: Arc::new(planned),
            everybody: Arc::new(everybody),
            state: Arc::default(),
        }
    }

    /// The supply of everything behind a component is gone, or back.
    pub(crate) fn supply(&self, component: &str, on: bool) {
        let fed = self.planned.iter().filter(|(_, it)| it.from == component);
        for (name, switch) in fed {
            match on {
                false => self.darken(name, switch),
                true => self.boot(name, switch),
            }
        }
    }

    fn darken(&self, name: &str, switch: &PlannedSwitch) {
        let mut all = self.lock();
        let state = all.entry(name.to_string()).or_default();
        state.generation += 1;
        if state.rule.is_some() || switch.nodes.is_empty() {
            return;
        }
        let rule = LinkRule {
            a: switch.nodes.clone(),
            b: self.everybody.to_vec(),
            direction: Direction::Both,
            impairment: Impairment::Drop,
            port: None,
        };
        match self.world.install(rule) {
            Ok(rule) => {
                state.rule = Some(rule);
                self.tell(name, switch, false);
            }
            Err(error) => {
                let reason = format!("the switch {name} could not go dark: {error}");
                self.recorder.now("engine", Body::Invalid { reason });
            }
        }
    }

    fn boot(&self, name: &str, switch: &PlannedSwitch) {
        let generation = {
            let mut all = self.lock();
            let Some(state) = all.get_mut(name).filter(|state| state.rule.is_some()) else {
                return;
            };
            state.generation += 1;
            state.generation
        };
        let (switches, name, switch) = (self.clone(), name.to_string(), switch.clone());
        tokio::spawn(async move {
            tokio::time::sleep(switch.boot.duration()).await;
            let mut all = switches.lock();
            let Some(state) = all.get_mut(&name).filter(|s| s.generation == generation) else {
                return;
            };
            if let Some(rule) = state.rule.take() {
                switches.world.remove(rule);
                switches.tell(&name, &switch, true);
            }
        });
    }

    fn tell(&self, name: &str, switch: &PlannedSwitch, up: bool) {
        let body = Body::Uplink {
            switch: name.to_string(),
            nodes: switch.nodes.clone(),
            up,
        };
        self.recorder.now("plant", body);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
