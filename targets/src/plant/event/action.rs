//! What can be done to a plant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Hertz, PerUnit, Span, Watts};

/// A machine that the plant powers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeLoad {
    /// The node.
    pub name: String,
    /// Its rack.
    pub rack: String,
    /// What it draws when idle.
    pub idle: Watts,
    /// What it draws at full utilisation.
    pub peak: Watts,
}

/// What loses its supply: electrical first, then down to one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PowerTarget {
    /// A whole feed, by its name in the site.
    Feed(String),
    /// A PDU.
    Pdu(String),
    /// Every cord of a rack.
    Rack(String),
    /// Every cord of a machine.
    Node(String),
}

/// Something done to the plant from outside, at its present time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantAction {
    /// A utility's voltage goes to this level and stays there.
    Supply {
        /// The utility.
        utility: String,
        /// The retained voltage, 0 for an outage.
        level: PerUnit,
    },
    /// A utility goes back to its own profile.
    SupplyRestored {
        /// The utility.
        utility: String,
    },
    /// A battery string opens; its own telemetry does not know.
    BatteryOpens {
        /// The UPS.
        ups: String,
    },
    /// The string is closed again.
    BatteryCloses {
        /// The UPS.
        ups: String,
    },
    /// A battery's state of health becomes this.
    BatteryHealth {
        /// The UPS.
        ups: String,
        /// 1 is new.
        health: PerUnit,
    },
    /// A PDU's breaker opens.
    BreakerOpens {
        /// The PDU.
        pdu: String,
    },
    /// A PDU's breaker is closed by hand.
    BreakerCloses {
        /// The PDU.
        pdu: String,
    },
    /// The supply of a target is cut, past every protection.
    Cut(PowerTarget),
    /// The cut is undone.
    Uncut(PowerTarget),
    /// A machine's power-brake line is pulled (`ratio` below 1) or let go (1).
    Brake {
        /// The node.
        node: String,
        /// Clocks as a share of nominal.
        ratio: f64,
    },
    /// A machine's work changed.
    Draw {
        /// The node.
        node: String,
        /// 0 to 1.
        utilisation: f64,
    },
    /// A utility's frequency goes to this value and stays there.
    Frequency {
        /// The utility.
        utility: String,
        /// The frequency.
        frequency: Hertz,
    },
    /// A utility's frequency follows its own profile again.
    FrequencyRestored {
        /// The utility.
        utility: String,
    },
    /// A utility's voltage follows a recording, whose times count from now;
    /// the last level stays. `SupplyRestored` ends it.
    Waveform {
        /// The utility.
        utility: String,
        /// When, and the voltage from then on.
        points: Vec<(Span, PerUnit)>,
    },
    /// A generator fails.
    GeneratorFails {
        /// The generator.
        generator: String,
        /// How.
        how: GeneratorFault,
    },
    /// A generator is repaired; a fault that it is in is cleared.
    GeneratorRestored {
        /// The generator.
        generator: String,
    },
    /// A transfer switch stays where it is, whatever happens.
    TransferStuck {
        /// The transfer switch.
        transfer: String,
    },
    /// A transfer switch moves again.
    TransferFreed {
        /// The transfer switch.
        transfer: String,
    },
    /// A UPS's converter fails: its load goes to the static bypass, where
    /// there is one that has voltage, or is dropped.
    UpsFails {
        /// The UPS.
        ups: String,
    },
    /// A UPS is repaired.
    UpsRestored {
        /// The UPS.
        ups: String,
    },
    /// A UPS is put on its static bypass by hand and stays there.
    BypassForced {
        /// The UPS.
        ups: String,
    },
    /// A UPS may leave its static bypass again.
    BypassReleased {
        /// The UPS.
        ups: String,
    },
    /// A UPS's return to its input will fail: it goes to the static bypass or
    /// off instead.
    RetransferFails {
        /// The UPS.
        ups: String,
    },
    /// A UPS returns to its input as it should again.
    RetransferRestored {
        /// The UPS.
        ups: String,
    },
    /// One outlet of a PDU opens.
    OutletOff {
        /// The PDU.
        pdu: String,
        /// Which one, from 0.
        outlet: usize,
    },
    /// One outlet of a PDU closes.
    OutletOn {
        /// The PDU.
        pdu: String,
        /// Which one, from 0.
        outlet: usize,
    },
    /// A breaker trips at another current than it was set to.
    BreakerPickup {
        /// The PDU.
        pdu: String,
        /// The share of the rating above which it trips now; nothing puts
        /// back what the site says.
        pickup: Option<PerUnit>,
    },
    /// One power supply of a machine fails.
    PsuFails {
        /// The node.
        node: String,
        /// Which one, from 0.
        supply: usize,
    },
    /// A failed power supply is replaced.
    PsuRestored {
        /// The node.
        node: String,
        /// Which one, from 0.
        supply: usize,
    },
    /// A machine is held to a power by its BMC, or let go.
    PowerCap {
        /// The node.
        node: String,
        /// What it may draw at most; nothing lets it go.
        limit: Option<Watts>,
    },
    /// A cooling unit trips and waits for a person.
    CoolingTrips {
        /// The cooling unit.
        cooling: String,
    },
    /// A cooling unit runs again, at once where it has voltage.
    CoolingRestored {
        /// The cooling unit.
        cooling: String,
    },
}

/// How a generator fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeneratorFault {
    /// It turns and does not start.
    Start,
    /// It stops at once and must be reset.
    Trip,
    /// It runs with a voltage and a frequency that nobody accepts.
    Unstable,
    /// It overheats and stops after some time under load.
    Overheat {
        /// How long it carries load before that.
        after: Span,
    },
}
