//! A plant for the ground of these tests: one of everything that a fault of the
//! catalogue may be in, on the test's clock.

use std::sync::Arc;

use ridethrough_faults::{BatteryTruth, StepRate};
use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{Change, NodeLoad, Plant, PlantAction, PlantEvent, Site};
use ridethrough_targets::telemetry::{Reading, UpsReading};
use ridethrough_targets::units::Watts;

const STEP_MS: f64 = 20.0;

const SITE: &str = "
name: one of everything
utilities: {grid: {}}
generators: {gen-1: {rating: 40kW, sense: 1s, crank: 2s}}
transfers: {ats-1: {from: [grid, gen-1], retransfer_delay: 1s}}
ups:
  ups-a:
    from: ats-1
    rating: 12kW
    requalify: 1s
    walk_in: 1s
    bypass: true
    battery: {energy: 1kWh}
pdus:
  pdu-a: {from: ups-a, breaker: {rating: 20A, pickup_delay: 2s}}
  pdu-b: {from: ats-1, breaker: {rating: 20A, pickup: 50%, pickup_delay: 2s}}
feeds: {a: ups-a}
racks:
  r1: {cords: [pdu-a, pdu-b]}
  r2: {cords: [pdu-a], psu: {per_cord: 2, needed: 2}}
cooling: {crac-1: {from: ats-1, racks: [r1], capacity: 20kW}}
";

/// The site of these tests.
pub(crate) fn site() -> Arc<Site> {
    Arc::new(serde_yaml::from_str(SITE).expect("a site"))
}

/// A plant whose time passes when it is looked at.
pub(crate) struct Ground {
    pub(crate) plant: Plant,
    /// Voltages as the meters logged them.
    log: Vec<(Micros, String, f64)>,
    /// When machines got their power or lost it.
    machines: Vec<(Micros, String, bool)>,
    /// What happens by itself, in order of time.
    script: Vec<(Micros, PlantAction)>,
}

impl Ground {
    pub(crate) fn new(now: Micros) -> Self {
        let load = |(name, rack, peak): (&str, &str, f64)| NodeLoad {
            name: name.to_string(),
            rack: rack.to_string(),
            idle: Watts(peak / 6.0),
            peak: Watts(peak),
        };
        let r1 = [("gpu-1", "r1", 2_400.0), ("gpu-2", "r1", 2_400.0)];
        let loads = [r1[0], r1[1], ("solo", "r2", 300.0)].map(load);
        let mut plant = Plant::new(&site(), &loads).expect("a plant");
        plant.advance(now);
        let mut ground = Self {
            plant,
            log: Vec::new(),
            machines: Vec::new(),
            script: Vec::new(),
        };
        for load in &loads {
            ground.act(PlantAction::Draw {
                node: load.name.clone(),
                utilisation: 0.8,
            });
        }
        ground
    }

    /// Something happens by itself, later than all that was told so far.
    pub(crate) fn will(&mut self, at: Micros, action: PlantAction) {
        self.script.push((at, action));
    }

    pub(crate) fn act(&mut self, action: PlantAction) {
        let events = self.plant.act(&action);
        self.hear(&events);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, now: Micros) {
        while let Some((at, _)) = self.script.first()
            && *at <= now
        {
            let (at, action) = self.script.remove(0);
            let events = self.plant.advance(at.max(self.plant.now_us()));
            self.hear(&events);
            self.act(action);
        }
        let events = self.plant.advance(now);
        self.hear(&events);
    }

    fn hear(&mut self, events: &[PlantEvent]) {
        for event in events {
            if let Change::NodePower { on } = event.change {
                let machine = (event.t_us, event.component.clone(), on);
                self.machines.push(machine);
            }
            if let Change::Supply { voltage_pu, .. } | Change::Bus { voltage_pu, .. } = event.change
            {
                self.log
                    .push((event.t_us, event.component.clone(), voltage_pu));
            }
        }
    }

    pub(crate) fn voltages(&self, component: &str, since: Micros) -> Vec<(Micros, f64)> {
        let mine = self.log.iter().filter(|(_, of, _)| of == component);
        let mine: Vec<_> = mine.map(|(t, _, pu)| (*t, *pu)).collect();
        let held = mine.iter().rev().find(|(t, _)| *t <= since);
        let held = held.map_or(1.0, |(_, pu)| *pu);
        let later = mine.iter().copied().filter(|(t, _)| *t > since);
        std::iter::once((since, held)).chain(later).collect()
    }

    /// Since when a machine has its power; the start of the test finds it long
    /// up.
    pub(crate) fn up_since(&self, node: &str, boot_us: Micros) -> Option<Micros> {
        let mut moves = self.machines.iter().rev();
        match moves.find(|(_, of, _)| of == node) {
            Some((t_us, _, true)) => Some(t_us + boot_us),
            Some((_, _, false)) => None,
            None => Some(0),
        }
    }

    pub(crate) fn battery(&self, ups: &str) -> Option<BatteryTruth> {
        let bench = self.plant.battery_bench(ups)?;
        Some(BatteryTruth {
            open: bench.open,
            health: bench.health,
            capacity_s: bench.capacity_s,
        })
    }

    pub(crate) fn step_rate(&self, node: &str) -> Option<StepRate> {
        let Some(Reading::Machine(machine)) = self.plant.reading(node) else {
            return None;
        };
        Some(StepRate {
            t_us: self.plant.now_us(),
            step_ms: STEP_MS / machine.clocks,
        })
    }

    pub(crate) fn ups_reading(&self, ups: &str) -> Option<UpsReading> {
        self.plant.ups_reading(ups)
    }
}
