//! What every component with an output has in common.

use super::bess::BessModel;
use super::cooling::CoolingModel;
use super::event::Change;
use super::generator::GeneratorModel;
use super::ledger::Milliwatts;
use super::pdu::PduModel;
use super::transfer::TransferModel;
use super::ups::UpsModel;
use super::utility::UtilityModel;

/// What feeds an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Nothing.
    Dead,
    /// The utility with this index among the buses.
    Utility(usize),
    /// The generator with this index among the buses.
    Generator(usize),
    /// The battery of the UPS or BESS with this index among the buses.
    Battery(usize),
}

/// The RMS state of an output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Output {
    /// Voltage per unit.
    pub(super) voltage_pu: f64,
    /// Frequency in hertz, 0 when dead.
    pub(super) frequency_hz: f64,
    /// What feeds it.
    pub(super) source: Source,
}

impl Output {
    /// No voltage.
    pub(super) const DEAD: Self = Self {
        voltage_pu: 0.0,
        frequency_hz: 0.0,
        source: Source::Dead,
    };
}

/// What a component tells of itself while it reacts: cause and change.
pub(super) type Notes = Vec<(String, Change)>;

/// The component behind an output.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A feeder of the grid.
    Utility(UtilityModel),
    /// A generator.
    Generator(Box<GeneratorModel>),
    /// A transfer switch.
    Transfer(Box<TransferModel>),
    /// An uninterruptible power supply.
    Ups(Box<UpsModel>),
    /// A battery energy storage system.
    Bess(Box<BessModel>),
    /// A power distribution unit.
    Pdu(PduModel),
    /// A cooling unit, which has no output.
    Cooling(Box<CoolingModel>),
}

/// A component with an output: a source, a switch, a UPS or a PDU.
#[derive(Clone, Debug)]
pub(super) struct Bus {
    /// Its name in the site.
    pub(super) name: String,
    /// What feeds it.
    pub(super) parent: Option<usize>,
    /// What else can feed it: the second input of a transfer switch.
    pub(super) second: Option<usize>,
    /// A bus whose voltage it watches without being fed by it.
    pub(super) watches: Option<usize>,
    /// Buses that watch it.
    pub(super) watchers: Vec<usize>,
    /// Buses that it feeds.
    pub(super) children: Vec<usize>,
    /// Machines with a cord on it.
    pub(super) nodes: Vec<usize>,
    /// Cuts in force.
    pub(super) cuts: u32,
    /// Its output.
    pub(super) out: Output,
    /// What is drawn at its output.
    pub(super) load: Milliwatts,
    /// What it draws at each of its inputs.
    pub(super) draws: [Milliwatts; 2],
    /// The component itself.
    pub(super) kind: Kind,
}

impl Bus {
    /// What feeds it, by every way.
    pub(super) fn parents(&self) -> impl Iterator<Item = usize> {
        self.parent.into_iter().chain(self.second)
    }

    /// All that it draws.
    pub(super) fn draw(&self) -> Milliwatts {
        self.draws[0] + self.draws[1]
    }

    /// What it draws from this bus.
    #[cfg(test)]
    pub(super) fn draws_from(&self, bus: usize) -> Milliwatts {
        let inputs = [self.parent, self.second].into_iter().zip(self.draws);
        let from = inputs.filter(|(parent, _)| *parent == Some(bus));
        from.map(|(_, draw)| draw).sum()
    }

    /// The UPS, when it is one.
    pub(super) fn ups(&self) -> Option<&UpsModel> {
        match &self.kind {
            Kind::Ups(ups) => Some(ups),
            _ => None,
        }
    }

    /// The PDU, when it is one.
    pub(super) fn pdu(&self) -> Option<&PduModel> {
        match &self.kind {
            Kind::Pdu(pdu) => Some(pdu),
            _ => None,
        }
    }
}
