//! What the meters of each device show: the plant as its devices see it.

use super::bus::{Bus, Kind, Output};
use super::cooling::CoolingModel;
use super::engine::Plant;
use super::event::{BbuState, CoolingState, GeneratorState};
use super::generator::GeneratorModel;
use super::graph::Device;
use super::ledger::watt_hours;
use super::node::NodeModel;
use super::pdu::PduModel;
use super::site::RestorePolicy;
use super::transfer::TransferModel;
use super::ups::UpsModel;
use crate::telemetry::{
    BbuReading, BessReading, CoolingReading, CoolingStatus, GeneratorReading, GeneratorStatus,
    MachineReading, OutletReading, PduReading, Reading, ShelfReading, SourceReading, SupplyReading,
    TransferReading, UpsReading, UtilityReading,
};

/// Inlet temperature where no cooling is modelled (typical).
const INLET_C: f64 = 25.0;

impl Plant {
    /// What every device shows of itself now, by name, in the order of the
    /// site.
    pub fn readings(&self) -> Vec<(String, Reading)> {
        let show = |device: &Device| match *device {
            Device::Bus(index) => {
                let bus = &self.graph.buses[index];
                (bus.name.clone(), self.bus_reading(bus))
            }
            Device::Shelf(index) => (
                self.shelf_name(index),
                Reading::Shelf(self.shelf_reading(index)),
            ),
            Device::Node(index) => {
                let node = &self.graph.nodes[index];
                let reading = Reading::Machine(self.machine_reading(index));
                (node.name.clone(), reading)
            }
        };
        self.graph.devices.iter().map(show).collect()
    }

    /// What one device shows of itself now.
    pub fn reading(&self, device: &str) -> Option<Reading> {
        if let Some(bus) = self.bus(device) {
            Some(self.bus_reading(bus))
        } else if let Some(&index) = self.graph.node_names.get(device) {
            Some(Reading::Machine(self.machine_reading(index)))
        } else {
            let rack = self.shelf_named(device)?;
            Some(Reading::Shelf(self.shelf_reading(rack)))
        }
    }

    fn bus_reading(&self, bus: &Bus) -> Reading {
        match &bus.kind {
            Kind::Utility(_) => Reading::Utility(UtilityReading {
                t_us: self.now,
                v: bus.out.voltage_pu * self.nominal_v,
                hz: bus.out.frequency_hz,
                w: bus.load as f64 / 1e3,
            }),
            Kind::Generator(model) => Reading::Generator(self.generator_reading(bus, model)),
            Kind::Transfer(model) => Reading::Transfer(self.transfer_reading(bus, model)),
            Kind::Ups(model) => Reading::Ups(self.reading_of_ups(bus, model)),
            Kind::Bess(model) => Reading::Bess(BessReading {
                v: bus.out.voltage_pu * self.nominal_v,
                nominal_v: self.nominal_v,
                hz: bus.out.frequency_hz,
                ..model.reading(self.now)
            }),
            Kind::Cooling(model) => Reading::Cooling(self.cooling_reading(bus, model)),
            Kind::Pdu(model) => Reading::Pdu(self.pdu_reading(bus, model)),
        }
    }

    fn cooling_reading(&self, bus: &Bus, model: &CoolingModel) -> CoolingReading {
        let room = &self.graph.rooms[model.room];
        CoolingReading {
            t_us: self.now,
            status: match model.state {
                CoolingState::Running => CoolingStatus::Running,
                CoolingState::Tripped => CoolingStatus::Tripped,
                CoolingState::Restarting => CoolingStatus::Restarting,
                CoolingState::Locked => CoolingStatus::Locked,
            },
            temperature_c: room.celsius(self.now),
            capacity_w: model.capacity as f64 / 1e3,
            w: bus.draw() as f64 / 1e3,
            limits_c: room.limits_c(),
        }
    }

    fn generator_reading(&self, bus: &Bus, model: &GeneratorModel) -> GeneratorReading {
        use GeneratorState as S;
        GeneratorReading {
            t_us: self.now,
            status: match model.state {
                S::Off => GeneratorStatus::Off,
                S::Sensing => GeneratorStatus::Sensing,
                S::Cranking | S::Resting => GeneratorStatus::Cranking,
                S::Ready => GeneratorStatus::Ready,
                S::Loaded => GeneratorStatus::Loaded,
                S::Cooldown => GeneratorStatus::Cooldown,
                S::Fault => GeneratorStatus::Fault,
            },
            v: bus.out.voltage_pu * self.nominal_v,
            hz: bus.out.frequency_hz,
            w: bus.load as f64 / 1e3,
            rating_w: model.rating as f64 / 1e3,
            fuel_h: model.fuel_h(self.now),
            attempts: model.attempts,
            fault: model.fault.to_string(),
        }
    }

    fn transfer_reading(&self, bus: &Bus, model: &TransferModel) -> TransferReading {
        let source = |(input, parent): (usize, usize)| {
            let feeder = &self.graph.buses[parent];
            SourceReading {
                name: feeder.name.clone(),
                v: feeder.out.voltage_pu * self.nominal_v,
                hz: feeder.out.frequency_hz,
                good: model.good[input],
            }
        };
        TransferReading {
            t_us: self.now,
            fast: model.fast,
            sources: bus.parents().enumerate().map(source).collect(),
            active: model.active,
            preferred: model.preferred,
            output_v: bus.out.voltage_pu * self.nominal_v,
            output_w: bus.load as f64 / 1e3,
            inhibited: model.inhibited,
            retransfer: model.retransfer,
            transfer_delay_s: model.transfer_delay_us as f64 / 1e6,
            retransfer_delay_s: model.retransfer_delay_us as f64 / 1e6,
            nominal_v: self.nominal_v,
        }
    }

    /// What a UPS measures of itself. Charge and runtime are what it believes:
    /// it takes its battery for new and its string for closed.
    pub fn ups_reading(&self, ups: &str) -> Option<UpsReading> {
        let bus = self.bus(ups)?;
        Some(self.reading_of_ups(bus, bus.ups()?))
    }

    fn inputs_of(&self, bus: &Bus) -> [Output; 2] {
        let out = |bus: Option<usize>| bus.map_or(Output::DEAD, |bus| self.graph.buses[bus].out);
        [out(bus.parent), out(bus.second)]
    }

    fn reading_of_ups(&self, bus: &Bus, model: &UpsModel) -> UpsReading {
        let inputs = self.inputs_of(bus);
        let input = inputs[0];
        let charge = model.battery.believed(self.now);
        UpsReading {
            t_us: self.now,
            status: model.status(input.voltage_pu, bus.out.voltage_pu),
            input_v: input.voltage_pu * self.nominal_v,
            input_nominal_v: self.nominal_v,
            input_hz: input.frequency_hz,
            input_window_v: model.window_pu().map(|pu| pu * self.nominal_v),
            line_bads: model.line_bads,
            output_v: bus.out.voltage_pu * self.nominal_v,
            output_hz: bus.out.frequency_hz,
            output_w: bus.load as f64 / 1e3,
            rating_w: model.rating as f64 / 1e3,
            bypass_v: model.bypass_of(inputs).voltage_pu * self.nominal_v,
            charge,
            runtime_s: model.battery.believed_runtime_s(self.now, bus.load),
            on_battery_s: model.on_battery_s(self.now),
            charge_low: model.battery.charge_low,
            runtime_low_s: model.battery.runtime_low_s,
            charging: model.charging > 0,
            low_battery: model.low,
            depleted: charge <= 0.0,
            replace_battery: model.replace,
            overload: bus.load > model.rating,
            locked_out: model.locked,
            transfer_reason: model.reason.to_string(),
        }
    }

    fn pdu_reading(&self, bus: &Bus, model: &PduModel) -> PduReading {
        let volts = bus.out.voltage_pu * self.nominal_v;
        let outlet = |(node, outlet, w): (&NodeModel, usize, f64)| OutletReading {
            node: node.name.clone(),
            on: model.conducts(outlet),
            pending: model.pending(outlet),
            w,
            a: if volts > 0.0 { w / volts } else { 0.0 },
        };
        PduReading {
            t_us: self.now,
            v: volts,
            hz: bus.out.frequency_hz,
            a: model.current_a(bus.load, bus.out.voltage_pu, self.nominal_v),
            w: bus.load as f64 / 1e3,
            energy_wh: watt_hours(model.meter.read(self.now)),
            rating_a: model.rating_a,
            closed: model.closed,
            tripped: model.tripped,
            restore_policy: match model.policy {
                RestorePolicy::AlwaysOn => "AlwaysOn",
                RestorePolicy::AlwaysOff => "AlwaysOff",
                RestorePolicy::LastState => "LastState",
            }
            .to_string(),
            restore_delay_s: model.restore_delay_us as f64 / 1e6,
            nominal_v: self.nominal_v,
            outlets: self.cords_on(bus).map(outlet).collect(),
        }
    }

    /// Every cord in a bus, by outlet: its machine and the watts through it.
    fn cords_on<'a>(
        &'a self,
        bus: &'a Bus,
    ) -> impl Iterator<Item = (&'a NodeModel, usize, f64)> + 'a {
        let index = self.graph.bus_names.get(&bus.name).copied();
        bus.nodes.iter().flat_map(move |node| {
            let node = &self.graph.nodes[*node];
            let cords = node.cords.iter().zip(&node.outlets).zip(&node.drawn);
            let mine = cords.filter(move |((pdu, _), _)| Some(**pdu) == index);
            mine.map(move |((_, outlet), drawn)| (node, *outlet, *drawn as f64 / 1e3))
        })
    }

    /// The name of a rack's power shelf.
    pub(super) fn shelf_name(&self, rack: usize) -> String {
        format!("{}.shelf", self.graph.racks[rack].name)
    }

    /// The rack whose power shelf has this name.
    pub(super) fn shelf_named(&self, name: &str) -> Option<usize> {
        let rack = name.strip_suffix(".shelf")?;
        let index = *self.graph.rack_names.get(rack)?;
        self.graph.racks[index].bbu.as_ref().map(|_| index)
    }

    fn shelf_reading(&self, index: usize) -> ShelfReading {
        let rack = &self.graph.racks[index];
        let power = |node: &usize| self.graph.nodes[*node].power();
        let bbu = rack.bbu.as_ref().map(|bbu| BbuReading {
            charge: bbu.charge(self.now),
            discharging: bbu.state == BbuState::Discharging,
            charging: bbu.state == BbuState::Charging,
            energy_wh: bbu.energy_wh(),
            health: bbu.health,
        });
        ShelfReading {
            t_us: self.now,
            w: rack.nodes.iter().map(power).sum::<i64>() as f64 / 1e3,
            supplies: rack
                .nodes
                .iter()
                .flat_map(|node| self.supplies(*node))
                .collect(),
            bbu,
        }
    }

    fn supplies(&self, index: usize) -> Vec<SupplyReading> {
        let node = &self.graph.nodes[index];
        let per_cord = node.psu.per_cord;
        let inputs = self.inputs(index);
        let supply = |number: usize| {
            let cord = number / per_cord;
            let siblings = (cord * per_cord..(cord + 1) * per_cord).filter(|s| node.works(*s));
            let healthy = node.works(number);
            let share = if healthy {
                1.0 / siblings.count() as f64
            } else {
                0.0
            };
            SupplyReading {
                name: format!("{}/{number}", node.name),
                pdu: self.graph.buses[node.cords[cord]].name.clone(),
                input_v: inputs[cord] * self.nominal_v,
                input_w: node.drawn[cord] as f64 / 1e3 * share,
                rating_w: node.psu.rating_w,
                healthy,
            }
        };
        (0..node.cords.len() * per_cord).map(supply).collect()
    }

    /// The air that a rack breathes; as it should be where no cooling is
    /// modelled.
    fn inlet_c(&self, rack: usize) -> f64 {
        let room = self.graph.racks[rack].room;
        room.map_or(INLET_C, |room| self.graph.rooms[room].celsius(self.now))
    }

    fn machine_reading(&self, index: usize) -> MachineReading {
        let node = &self.graph.nodes[index];
        MachineReading {
            t_us: self.now,
            rack: self.graph.racks[node.rack].name.clone(),
            on: node.powered,
            w: node.power() as f64 / 1e3,
            range_w: [node.idle as f64 / 1e3, node.peak as f64 / 1e3],
            limit_w: node.limit.map(|limit| limit as f64 / 1e3),
            clocks: node.clocks(),
            braked: node.braked(),
            temperature_c: self.inlet_c(node.rack),
            last_reset_cause: node.reset_cause.to_string(),
            supplies: self.supplies(index),
        }
    }
}
