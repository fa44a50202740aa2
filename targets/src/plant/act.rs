//! What is done to a plant from outside.

use super::bus::{Kind, Notes};
use super::engine::Plant;
use super::event::{PlantAction, PlantEvent, PowerTarget};
use super::pdu::PduModel;
use super::ups::UpsModel;
use super::utility::UtilityModel;

impl Plant {
    /// Does something to the plant at its present time. Nothing happens where
    /// the action names something that the site does not have.
    pub fn act(&mut self, action: &PlantAction) -> Vec<PlantEvent> {
        self.apply(action);
        self.settle_action()
    }

    /// Does something to the plant, whose consequences are not settled yet.
    pub(super) fn apply(&mut self, action: &PlantAction) {
        match action {
            PlantAction::Supply { utility, level } => {
                let level = level.get().max(0.0);
                self.with_utility(utility, |u| u.hold(Some(level)));
            }
            PlantAction::SupplyRestored { utility } => self.with_utility(utility, |u| u.hold(None)),
            PlantAction::BatteryOpens { ups } => self.with_ups(ups, |u, _| u.battery.open = true),
            PlantAction::BatteryCloses { ups } => self.with_ups(ups, |u, _| u.battery.open = false),
            PlantAction::BatteryHealth { ups, health } => {
                self.with_ups(ups, |u, now| u.battery.set_health(now, health.get()));
            }
            PlantAction::BreakerOpens { pdu } => self.with_pdu(pdu, |p, n| p.switch(false, n)),
            PlantAction::BreakerCloses { pdu } => self.with_pdu(pdu, |p, n| p.switch(true, n)),
            PlantAction::Cut(target) => self.cut(target, |cuts| *cuts += 1),
            PlantAction::Uncut(target) => self.cut(target, |cuts| *cuts = cuts.saturating_sub(1)),
            PlantAction::Brake { node, ratio } => {
                self.with_node(node, |n, notes| n.brake_line(*ratio, notes));
            }
            PlantAction::Draw { node, utilisation } => {
                self.with_node(node, |n, _| n.work(*utilisation));
            }
            other => self.apply_fault(other),
        }
    }

    pub(super) fn with_utility(&mut self, name: &str, change: impl FnOnce(&mut UtilityModel)) {
        if let Some(&index) = self.graph.bus_names.get(name)
            && let Kind::Utility(utility) = &mut self.graph.buses[index].kind
        {
            change(utility);
            self.touch_bus(index);
        }
    }

    pub(super) fn with_ups(&mut self, name: &str, change: impl FnOnce(&mut UpsModel, u64)) {
        if let Some(&index) = self.graph.bus_names.get(name)
            && let Kind::Ups(ups) = &mut self.graph.buses[index].kind
        {
            change(ups, self.now);
            self.touch_bus(index);
        }
    }

    pub(super) fn with_pdu(&mut self, name: &str, change: impl FnOnce(&mut PduModel, &mut Notes)) {
        if let Some(&index) = self.graph.bus_names.get(name)
            && let Kind::Pdu(pdu) = &mut self.graph.buses[index].kind
        {
            let mut notes = Notes::new();
            change(pdu, &mut notes);
            self.tell(name, notes);
            self.touch_bus(index);
            for node in self.graph.buses[index].nodes.clone() {
                self.touch_node(node);
            }
        }
    }

    /// Cuts are counted, so that two that overlap need two ends.
    fn cut(&mut self, target: &PowerTarget, change: impl Fn(&mut u32)) {
        match target {
            PowerTarget::Feed(_) | PowerTarget::Pdu(_) => {
                for bus in self.target_buses(target) {
                    let model = &mut self.graph.buses[bus];
                    change(&mut model.cuts);
                    if let Kind::Utility(utility) = &mut model.kind {
                        utility.reconnected();
                    }
                    self.touch_bus(bus);
                }
            }
            PowerTarget::Rack(name) => {
                if let Some(&rack) = self.graph.rack_names.get(name) {
                    change(&mut self.graph.racks[rack].cuts);
                    for node in self.graph.racks[rack].nodes.clone() {
                        self.touch_node(node);
                    }
                }
            }
            PowerTarget::Node(name) => {
                if let Some(&node) = self.graph.node_names.get(name) {
                    change(&mut self.graph.nodes[node].cuts);
                    self.touch_node(node);
                }
            }
        }
    }
}
