//! The running physics of a site.

use super::event::{NodeLoad, PlantAction, PlantEvent};
use super::site::Site;
use crate::clock::Micros;
use crate::service::UpsReading;

/// Why a site cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component}: {problem}")]
pub struct SiteError {
    /// The component, by its path in the site, such as `pdus.pdu-a.from`.
    pub component: String,
    /// What is wrong.
    pub problem: String,
}

/// The running physics of a site. Pure: it knows no clock and does no I/O.
pub struct Plant {}

impl Plant {
    /// A plant at time 0, in steady state on nominal supply.
    pub fn new(_site: &Site, _loads: &[NodeLoad]) -> Result<Self, Vec<SiteError>> {
        Ok(Self {})
    }

    /// Tells the plant when the first phase begins, from which profiles count.
    pub fn start_profiles(&mut self, _at_us: Micros) {}

    /// When something will happen by itself, if nobody acts.
    pub fn next_event_us(&self) -> Option<Micros> {
        None
    }

    /// Lets time pass up to and including `to_us`.
    pub fn advance(&mut self, _to_us: Micros) -> Vec<PlantEvent> {
        Vec::new()
    }

    /// Does something to the plant at its present time.
    pub fn act(&mut self, _action: &PlantAction) -> Vec<PlantEvent> {
        Vec::new()
    }

    /// What a UPS measures of itself.
    pub fn ups_reading(&self, _ups: &str) -> Option<UpsReading> {
        None
    }

    /// The voltage now at a component's output, per unit: utilities, UPSs, PDUs
    /// by name. A meter independent of what was asked.
    pub fn voltage_pu(&self, _component: &str) -> Option<f64> {
        None
    }

    /// True state of charge of a UPS's battery, 0 to 1.
    pub fn charge(&self, _ups: &str) -> Option<f64> {
        None
    }

    /// What a machine draws now, in watts.
    pub fn node_watts(&self, _node: &str) -> Option<f64> {
        None
    }
}
