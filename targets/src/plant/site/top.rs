//! The one-line diagram of a site, as written in YAML.
//!
//! Defaults are typical values; the ones that matter for a real site should be
//! set from its own data sheets. Where a value rests on a standard, the field
//! says which.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bess::Bess;
use super::cooling::Cooling;
use super::rack::{Pdu, Rack};
use super::sources::{Generator, Transfer};
use super::switch::RackSwitch;
use super::ups::Ups;
use crate::units::{Hertz, PerUnit, Span, Volts};

/// A site: what feeds what, from the grid to the racks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's name.
    pub name: String,
    /// Nominal voltage and frequency of every bus.
    #[serde(default)]
    pub nominal: Nominal,
    /// Feeders of the grid.
    pub utilities: IndexMap<String, Utility>,
    /// Generators.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub generators: IndexMap<String, Generator>,
    /// Transfer switches.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub transfers: IndexMap<String, Transfer>,
    /// Uninterruptible power supplies.
    #[serde(default)]
    pub ups: IndexMap<String, Ups>,
    /// Battery energy storage systems.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub bess: IndexMap<String, Bess>,
    /// Power distribution units, each behind one breaker.
    pub pdus: IndexMap<String, Pdu>,
    /// Names for the independent paths, each by the component that begins it:
    /// `a: ups-a`.
    #[serde(default)]
    pub feeds: IndexMap<String, String>,
    /// Racks and their cords.
    pub racks: IndexMap<String, Rack>,
    /// Cooling units.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub cooling: IndexMap<String, Cooling>,
    /// What feeds the cards of devices: a card that is here is off its network
    /// while that component is dead. `ups-a: pdu-b`; a rack's manager is
    /// `r1-manager`. A card that is not here is fed by its own device and by a
    /// battery of its own (default).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub cards: IndexMap<String, String>,
    /// Top-of-rack switches. A rack that is not here has one that never goes
    /// dark.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub switches: IndexMap<String, RackSwitch>,
    /// What watches the site and decides; `external` where the user's own
    /// supervisor does.
    #[serde(default, deserialize_with = "crate::supervisor::supervision")]
    #[schemars(schema_with = "crate::supervisor::supervision_schema")]
    pub supervisor: crate::supervisor::SupervisorConfig,
}

/// Nominal values of the site's low-voltage buses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nominal {
    /// Phase voltage.
    pub voltage: Volts,
    /// Frequency.
    pub frequency: Hertz,
}

impl Default for Nominal {
    fn default() -> Self {
        Self {
            voltage: Volts(230.0),
            frequency: Hertz(50.0),
        }
    }
}

/// A feeder of the grid. Nominal unless its profile or a fault says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Utility {
    /// What its voltage does by itself, from the start of the first phase.
    pub profile: Vec<Profile>,
}

/// A step of a voltage profile; it holds until the next step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// When, from the start of the first phase.
    pub at: Span,
    /// The voltage from then on.
    pub voltage: PerUnit,
    /// The frequency from then on (default: nominal).
    #[serde(default)]
    pub frequency: Option<Hertz>,
}
