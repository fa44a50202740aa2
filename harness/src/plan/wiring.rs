//! What feeds what: the site's graph, from the grid to the machines.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use ridethrough_faults::Question;
use ridethrough_faults::catalogue::{FaultKind, NodeTarget, OnLink};
use ridethrough_targets::plant::PowerTarget;

use crate::playbook::{Playbook, ServiceDef};

use super::cards::cards;
use super::model::{PlannedSwitch, Reach};

/// The names of the infrastructure's nodes beside the UPSs' cards.
pub(crate) const CLIENTS: &str = "clients";
/// See [`CLIENTS`].
pub(crate) const MONITOR: &str = "monitor";
/// See [`CLIENTS`].
pub(crate) const SUPERVISOR: &str = "supervisor";

/// Questions to a site and the stack in it. Names that do not exist reach
/// nothing; loops end.
#[derive(Clone, Copy)]
pub(crate) struct Wiring<'a> {
    playbook: &'a Playbook,
}

impl<'a> Wiring<'a> {
    pub(crate) fn new(playbook: &'a Playbook) -> Self {
        Self { playbook }
    }

    /// The components, and all that they feed: by any of its inputs, or only
    /// what nothing else can feed.
    fn downstream(&self, from: &[&'a str], alone: bool) -> BTreeSet<&'a str> {
        let fed = self.playbook.site.inputs();
        let mut reached: BTreeSet<&str> = from.iter().copied().collect();
        loop {
            let before = reached.len();
            for (name, inputs) in &fed {
                let hit = |input: &&str| reached.contains(*input);
                let joins = if alone {
                    inputs.iter().all(hit)
                } else {
                    inputs.iter().any(hit)
                };
                if joins {
                    reached.insert(name);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// Everything that a disturbance of these components reaches.
    fn disturbed(&self, components: &[&'a str]) -> Reach {
        self.reached(&self.downstream(components, false))
    }

    /// Everything that a loss of these components carries away: not what a
    /// transfer switch puts on its other input.
    fn carried(&self, components: &[&'a str]) -> Reach {
        self.reached(&self.downstream(components, true))
    }

    fn reached(&self, hit: &BTreeSet<&'a str>) -> Reach {
        let site = &self.playbook.site;
        let those = |all: &mut dyn Iterator<Item = &'a String>| -> Vec<String> {
            all.filter(|n| hit.contains(n.as_str())).cloned().collect()
        };
        let mut reach = Reach {
            utilities: those(&mut site.utilities.keys()),
            ups: those(&mut site.ups.keys()),
            pdus: those(&mut site.pdus.keys()),
            ..Reach::default()
        };
        for (name, node) in &self.playbook.stack.nodes {
            let Some(rack) = site.racks.get(&node.rack) else {
                continue;
            };
            let dead = rack.cords.iter().filter(|c| hit.contains(c.as_str()));
            let dead = dead.count();
            if dead > 0 {
                reach.nodes.push(name.clone());
            }
            if dead > 0 && dead < rack.cords.len() {
                reach.dual_corded.push(name.clone());
            }
        }
        let dark = site
            .switches
            .values()
            .filter(|s| hit.contains(s.from.as_str()));
        reach.cut_off = dark.flat_map(|s| self.nodes_of_rack(&s.rack)).collect();
        reach
    }

    /// The machines of a rack.
    pub(crate) fn nodes_of_rack(&self, rack: &str) -> Vec<String> {
        let nodes = self.playbook.stack.nodes.iter();
        let there = nodes.filter(|(_, node)| node.rack == rack);
        there.map(|(name, _)| name.clone()).collect()
    }

    /// The switches of racks, with the machines behind them.
    pub(crate) fn switches(&self) -> IndexMap<String, PlannedSwitch> {
        let all = self.playbook.site.switches.iter();
        all.map(|(name, switch)| {
            let planned = PlannedSwitch {
                from: switch.from.clone(),
                nodes: self.nodes_of_rack(&switch.rack),
                boot: switch.boot,
            };
            (name.clone(), planned)
        })
        .collect()
    }

    /// The machines of a service.
    pub(crate) fn nodes_of_service(&self, service: &str) -> Vec<String> {
        let service = self.playbook.stack.services.get(service);
        service.map(|s| s.on.clone()).unwrap_or_default()
    }

    /// A machine that loses one cord, or one of its supplies.
    fn one_cord(&self, node: &str, pdu: Option<&str>) -> Reach {
        let known = self.playbook.stack.nodes.get(node);
        let rack = known.and_then(|known| self.playbook.site.racks.get(&known.rack));
        let other = rack.is_some_and(|rack| match pdu {
            Some(pdu) => rack.cords.iter().any(|cord| cord != pdu),
            None => rack.cords.len() > 1 || rack.psu.per_cord > 1,
        });
        let node = vec![node.to_string()];
        Reach {
            dual_corded: if other { node.clone() } else { Vec::new() },
            nodes: node,
            ..Reach::default()
        }
    }

    /// The machines whose air a cooling unit cools.
    fn nodes_of_cooling(&self, unit: &str) -> Vec<String> {
        let unit = self.playbook.site.cooling.get(unit);
        let racks = unit.into_iter().flat_map(|unit| &unit.racks);
        racks.flat_map(|rack| self.nodes_of_rack(rack)).collect()
    }

    /// The machines that a target names.
    pub(crate) fn nodes_of(&self, target: &NodeTarget) -> Vec<String> {
        match target {
            NodeTarget::Node(name) => vec![name.clone()],
            NodeTarget::Service(service) => self.nodes_of_service(service),
            NodeTarget::Rack(rack) => self.nodes_of_rack(rack),
        }
    }

    /// The nodes of one side of a link. A node's name comes before a service's,
    /// and that before a rack's.
    pub(crate) fn side(&self, name: &str) -> Vec<String> {
        let (site, stack) = (&self.playbook.site, &self.playbook.stack);
        if stack.nodes.contains_key(name) {
            vec![name.to_string()]
        } else if stack.services.contains_key(name) {
            self.nodes_of_service(name)
        } else if site.racks.contains_key(name) {
            self.nodes_of_rack(name)
        } else {
            vec![name.to_string()]
        }
    }

    /// The nodes of both sides of a link.
    pub(crate) fn sides(&self, on: OnLink<'_>) -> (Vec<String>, Vec<String>) {
        (self.side(&on.link.0), self.side(&on.link.1))
    }

    /// The utilities that a supply fault means.
    fn utilities(&self, one: Option<&'a String>) -> Vec<&'a str> {
        match one {
            Some(name) => vec![name],
            None => {
                let all = self.playbook.site.utilities.keys();
                all.map(String::as_str).collect()
            }
        }
    }

    /// All that a fault reaches.
    pub(crate) fn reach(&self, kind: &'a FaultKind) -> Reach {
        let nodes = |nodes: Vec<String>| Reach {
            nodes,
            ..Reach::default()
        };
        match kind {
            FaultKind::UtilityOutage(f) => self.disturbed(&self.utilities(f.utility.as_ref())),
            FaultKind::Sag(f) | FaultKind::Brownout(f) | FaultKind::Swell(f) => {
                self.disturbed(&self.utilities(f.utility.as_ref()))
            }
            FaultKind::Frequency(_) | FaultKind::Waveform(_) => {
                self.disturbed(&self.faulted_utilities(kind))
            }
            FaultKind::GeneratorFails(f) => self.disturbed(&[&f.generator]),
            FaultKind::AtsFails(f) => self.disturbed(&[&f.transfer]),
            FaultKind::UpsFails(f) | FaultKind::UpsBypass(f) | FaultKind::RetransferFails(f) => {
                self.carried(&[&f.ups])
            }
            FaultKind::BreakerPickup(f) => self.carried(&[&f.pdu]),
            FaultKind::OutletOff(f) => self.one_cord(&f.node, Some(&f.pdu)),
            FaultKind::PsuFails(f) => self.one_cord(&f.node, None),
            FaultKind::CoolingTrips(f) => nodes(self.nodes_of_cooling(&f.cooling)),
            FaultKind::PowerCap(f) => nodes(self.nodes_of(&f.target)),
            FaultKind::BatteryOpen(f) => Reach {
                ups: vec![f.ups.clone()],
                ..Reach::default()
            },
            FaultKind::BatteryAged(f) => Reach {
                ups: vec![f.ups.clone()],
                ..Reach::default()
            },
            FaultKind::BreakerOpens(f) => self.carried(&[&f.pdu]),
            FaultKind::PowerLoss(PowerTarget::Feed(feed)) => {
                let first = self.playbook.site.feeds.get(feed);
                first.map_or_else(Reach::default, |first| self.carried(&[first]))
            }
            FaultKind::PowerLoss(PowerTarget::Pdu(pdu)) => self.carried(&[pdu]),
            FaultKind::PowerLoss(PowerTarget::Rack(rack)) => nodes(self.nodes_of_rack(rack)),
            FaultKind::PowerLoss(PowerTarget::Node(node)) => nodes(vec![node.clone()]),
            FaultKind::PowerBrake(f) => nodes(self.nodes_of(&f.target)),
            FaultKind::Dns(f) => nodes(self.nodes_of(&f.target)),
            FaultKind::Hang(target) | FaultKind::LinkDown(target) => nodes(self.nodes_of(target)),
            FaultKind::SlowBoot(_)
            | FaultKind::CrashLoop(_)
            | FaultKind::CpuTheft(_)
            | FaultKind::MemoryPressure(_)
            | FaultKind::ClockJump(_)
            | FaultKind::FdExhaustion(_) => {
                let target = machine_target(kind);
                nodes(
                    target
                        .map(|target| self.nodes_of(target))
                        .unwrap_or_default(),
                )
            }
            FaultKind::Partition(_)
            | FaultKind::Latency(_)
            | FaultKind::Loss(_)
            | FaultKind::BurstLoss(_)
            | FaultKind::Duplicate(_)
            | FaultKind::Reorder(_)
            | FaultKind::Corrupt(_)
            | FaultKind::Rate(_)
            | FaultKind::Reset(_)
            | FaultKind::Flap(_)
            | FaultKind::Mtu(_) => Reach {
                link: kind.on_link().map(|on| self.sides(on)),
                ..Reach::default()
            },
            FaultKind::DiskSlow(_)
            | FaultKind::DiskFull(_)
            | FaultKind::IoError(_)
            | FaultKind::TornWrites(_)
            | FaultKind::ForgetsFsync(_) => self.disks(kind),
            FaultKind::TelemetryStale(_)
            | FaultKind::TelemetryFrozen(_)
            | FaultKind::TelemetryDelayed(_)
            | FaultKind::TelemetryLie(_)
            | FaultKind::TelemetryScale(_)
            | FaultKind::TelemetrySlow(_)
            | FaultKind::TelemetryLost(_)
            | FaultKind::TelemetryFlapping(_)
            | FaultKind::TelemetryOutOfOrder(_) => Reach {
                questions: self.questions(kind),
                ..Reach::default()
            },
        }
    }

    /// The volumes that a target means, by machine and service: a service's own,
    /// or all that are on a machine.
    pub(crate) fn volumes_of(&self, target: &NodeTarget) -> Vec<(String, String)> {
        let nodes = self.nodes_of(target);
        let services = self.playbook.stack.services.iter();
        let meant = services.filter(|(name, service)| {
            let named = !matches!(target, NodeTarget::Service(one) if one != *name);
            service.volume.is_some() && named
        });
        let on = |(name, service): (&String, &ServiceDef)| {
            let here = service.on.iter().filter(|node| nodes.contains(node));
            let pairs = here.map(|node| (node.clone(), name.clone()));
            pairs.collect::<Vec<_>>()
        };
        meant.flat_map(on).collect()
    }

    pub(super) fn disks(&self, kind: &FaultKind) -> Reach {
        let volumes = kind.volumes().map(|target| self.volumes_of(target));
        let volumes = volumes.unwrap_or_default();
        let mut nodes: Vec<String> = volumes.iter().map(|(node, _)| node.clone()).collect();
        nodes.dedup();
        Reach {
            nodes,
            volumes,
            ..Reach::default()
        }
    }

    /// The devices whose telemetry a fault hits, by each protocol that it hits.
    pub(crate) fn questions(&self, kind: &FaultKind) -> Vec<Question> {
        let Some((_, named, via)) = kind.distortion() else {
            return Vec::new();
        };
        let cards = cards(&self.playbook.site, &self.playbook.stack);
        let mut questions = Vec::new();
        for card in &cards {
            let hit = card.devices.iter();
            let hit = hit.filter(|(name, _)| named.is_empty() || named.contains(name));
            for (name, kind) in hit {
                let spoken = card.protocols.iter();
                for via in spoken.filter(|p| via.is_empty() || via.contains(p)) {
                    questions.push(Question {
                        device: name.clone(),
                        kind: (*kind).to_string(),
                        via: *via,
                        shared: card.devices.len() > 1,
                    });
                }
            }
        }
        questions
    }

    /// Whether a fault is in the machines that it names, whatever their supply
    /// does.
    pub(crate) fn is_in_machines(&self, kind: &FaultKind) -> bool {
        machine_target(kind).is_some()
            || matches!(
                kind,
                FaultKind::Hang(_)
                    | FaultKind::LinkDown(_)
                    | FaultKind::PowerBrake(_)
                    | FaultKind::PowerCap(_)
            )
    }

    /// The utilities that a fault makes fail.
    pub(crate) fn faulted_utilities(&self, kind: &'a FaultKind) -> Vec<&'a str> {
        match kind {
            FaultKind::UtilityOutage(f) => self.utilities(f.utility.as_ref()),
            FaultKind::Sag(f) | FaultKind::Brownout(f) | FaultKind::Swell(f) => {
                self.utilities(f.utility.as_ref())
            }
            FaultKind::Frequency(f) => self.utilities(f.utility.as_ref()),
            FaultKind::Waveform(f) => self.utilities(f.utility.as_ref()),
            _ => Vec::new(),
        }
    }
}

/// The machines that a fault of machines beyond their supply names.
pub(super) fn machine_target(kind: &FaultKind) -> Option<&NodeTarget> {
    match kind {
        FaultKind::SlowBoot(it) => Some(&it.target),
        FaultKind::CrashLoop(it) => Some(&it.target),
        FaultKind::CpuTheft(it) => Some(&it.target),
        FaultKind::MemoryPressure(it) => Some(&it.target),
        FaultKind::ClockJump(it) => Some(&it.target),
        FaultKind::FdExhaustion(it) => Some(&it.target),
        _ => None,
    }
}
