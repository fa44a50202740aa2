//! What breaks in the plant's devices, and what mends them.

use super::bus::{Kind, Notes};
use super::engine::Plant;
use super::event::PlantAction;
use super::ledger::milliwatts;
use super::node::NodeModel;

impl Plant {
    /// The actions that change what a device can do.
    pub(super) fn apply_fault(&mut self, action: &PlantAction) {
        let now = self.now;
        match action {
            PlantAction::Frequency { utility, frequency } => {
                let hz = frequency.get();
                self.with_utility(utility, |u| u.hold_frequency(Some(hz)));
            }
            PlantAction::FrequencyRestored { utility } => {
                self.with_utility(utility, |u| u.hold_frequency(None));
            }
            PlantAction::Waveform { utility, points } => {
                self.with_utility(utility, |u| u.follow(now, points));
            }
            PlantAction::GeneratorFails { generator, how } => {
                self.with_bus(generator, |kind, _| {
                    if let Kind::Generator(it) = kind {
                        it.breaks(*how);
                    }
                });
            }
            PlantAction::GeneratorRestored { generator } => {
                self.with_bus(generator, |kind, notes| {
                    if let Kind::Generator(it) = kind {
                        it.repaired(now, notes);
                    }
                });
            }
            PlantAction::TransferStuck { transfer } => self.stick(transfer, true),
            PlantAction::TransferFreed { transfer } => self.stick(transfer, false),
            PlantAction::UpsFails { ups } => self.with_ups(ups, |u, _| u.failed = true),
            PlantAction::UpsRestored { ups } => self.with_ups(ups, |u, _| u.failed = false),
            PlantAction::BypassForced { ups } => self.with_ups(ups, |u, _| u.held = true),
            PlantAction::BypassReleased { ups } => self.with_ups(ups, |u, _| u.held = false),
            PlantAction::RetransferFails { ups } => {
                self.with_ups(ups, |u, _| u.retransfer_fails = true);
            }
            PlantAction::RetransferRestored { ups } => {
                self.with_ups(ups, |u, _| u.retransfer_fails = false);
            }
            PlantAction::OutletOff { pdu, outlet } => {
                self.with_pdu(pdu, |p, _| p.order(now, *outlet, false, true));
            }
            PlantAction::OutletOn { pdu, outlet } => {
                self.with_pdu(pdu, |p, _| p.order(now, *outlet, true, true));
            }
            PlantAction::BreakerPickup { pdu, pickup } => {
                let pickup = pickup.map(|pickup| pickup.get());
                self.with_pdu(pdu, |p, _| p.set_pickup(pickup));
            }
            PlantAction::PsuFails { node, supply } => {
                self.with_node(node, |n, notes| n.set_supply(*supply, false, notes));
            }
            PlantAction::PsuRestored { node, supply } => {
                self.with_node(node, |n, notes| n.set_supply(*supply, true, notes));
            }
            PlantAction::PowerCap { node, limit } => {
                let limit = limit.map(|limit| milliwatts(limit.get()));
                self.with_node(node, |n, notes| n.hold_to(limit, notes));
            }
            PlantAction::CoolingTrips { cooling } => self.with_bus(cooling, |kind, notes| {
                if let Kind::Cooling(it) = kind {
                    it.trip(now, notes);
                }
            }),
            PlantAction::CoolingRestored { cooling } => self.with_bus(cooling, |kind, notes| {
                if let Kind::Cooling(it) = kind {
                    it.put_back(now, notes);
                }
            }),
            _ => {}
        }
    }

    /// Changes a machine, where there is one of this name.
    pub(super) fn with_node(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut NodeModel, &mut Notes),
    ) {
        if let Some(&index) = self.graph.node_names.get(name) {
            let mut notes = Notes::new();
            change(&mut self.graph.nodes[index], &mut notes);
            self.tell(name, notes);
            self.touch_node(index);
        }
    }

    fn stick(&mut self, transfer: &str, stuck: bool) {
        self.with_bus(transfer, |kind, _| {
            if let Kind::Transfer(it) = kind {
                it.stuck = stuck;
            }
        });
    }

    /// Changes a component with an output, where there is one of this name.
    pub(super) fn with_bus(&mut self, name: &str, change: impl FnOnce(&mut Kind, &mut Notes)) {
        if let Some(&index) = self.graph.bus_names.get(name) {
            let mut notes = Notes::new();
            change(&mut self.graph.buses[index].kind, &mut notes);
            self.tell(name, notes);
            self.touch_bus(index);
        }
    }
}
