//! What the service sees of one device.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::telemetry::{Identity, MachineReading, PduReading, Reading, ShelfReading};

/// How well a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Ok,
    Warning,
    Critical,
}

impl Health {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "Warning",
            Self::Critical => "Critical",
        }
    }
}

/// A device as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) identity: Arc<Identity>,
    /// The last reading; it gives the shape even where it is stale.
    pub(super) reading: Option<Arc<Reading>>,
    /// The reading is what the device says now.
    pub(super) fresh: bool,
}

impl Look {
    /// The device's name.
    pub(super) fn name(&self) -> &str {
        &self.identity.name
    }

    /// A number to three decimals; null where it is not known.
    pub(super) fn number(&self, value: f64) -> Json {
        match self.fresh && value.is_finite() {
            true => round(value).into(),
            false => Json::Null,
        }
    }

    /// A number as an excerpt of a sensor.
    pub(super) fn excerpt(&self, value: f64) -> Json {
        json!({"Reading": self.number(value)})
    }

    /// As [`Look::excerpt`], with the sensor it comes from.
    pub(super) fn sensed(&self, value: f64, sensor: String) -> Json {
        json!({"DataSourceUri": sensor, "Reading": self.number(value)})
    }

    /// A value that is null where it is not known.
    pub(super) fn known(&self, value: impl Into<Json>) -> Json {
        match self.fresh {
            true => value.into(),
            false => Json::Null,
        }
    }

    /// The status of a part of it.
    pub(super) fn status(&self, health: Health) -> Json {
        match self.fresh {
            true => json!({"State": "Enabled", "Health": health.word()}),
            false => json!({"State": "UnavailableOffline", "Health": "Critical"}),
        }
    }

    /// The device is as it should be, as far as is known.
    pub(super) fn health(&self) -> Health {
        let Some(reading) = self.reading.as_deref() else {
            return Health::Critical;
        };
        match reading {
            _ if !self.fresh => Health::Critical,
            Reading::Pdu(r) if r.tripped => Health::Critical,
            Reading::Pdu(r) if r.v < r.nominal_v * 0.85 => Health::Warning,
            Reading::Transfer(r) if r.active.is_none() => Health::Critical,
            Reading::Transfer(r) if r.active != Some(r.preferred) => Health::Warning,
            Reading::Shelf(r) => supplies(&r.supplies),
            Reading::Machine(r) if r.braked => Health::Warning,
            Reading::Machine(r) => supplies(&r.supplies),
            Reading::Bess(r) if !r.fault.is_empty() => Health::Critical,
            _ => Health::Ok,
        }
    }

    pub(super) fn machine(&self) -> Option<&MachineReading> {
        match self.reading.as_deref()? {
            Reading::Machine(r) => Some(r),
            _ => None,
        }
    }

    pub(super) fn pdu(&self) -> Option<&PduReading> {
        match self.reading.as_deref()? {
            Reading::Pdu(r) => Some(r),
            _ => None,
        }
    }

    pub(super) fn shelf(&self) -> Option<&ShelfReading> {
        match self.reading.as_deref()? {
            Reading::Shelf(r) => Some(r),
            _ => None,
        }
    }
}

/// To three decimals, and never `-0`.
pub(super) fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0 + 0.0
}

fn supplies(supplies: &[crate::telemetry::SupplyReading]) -> Health {
    let bad = |s: &&crate::telemetry::SupplyReading| !s.healthy || s.input_v < LOST_V;
    match supplies.iter().filter(bad).count() {
        0 => Health::Ok,
        n if n == supplies.len() => Health::Critical,
        _ => Health::Warning,
    }
}

/// Below this an input has lost its power.
pub(super) const LOST_V: f64 = 10.0;
/// Below this no power supply runs.
pub(super) const LOW_V: f64 = 90.0;

/// Redfish `LineInputStatus`.
pub(super) fn line_input(v: f64) -> &'static str {
    match v {
        v if v < LOST_V => "LossOfInput",
        v if v < LOW_V => "OutOfRange",
        _ => "Normal",
    }
}

/// The nearest of Redfish's nominal voltages.
pub(super) fn nominal(v: f64) -> Json {
    const KNOWN: [(f64, &str); 8] = [
        (120.0, "AC120V"),
        (208.0, "AC208V"),
        (230.0, "AC230V"),
        (240.0, "AC240V"),
        (277.0, "AC277V"),
        (400.0, "AC400V"),
        (415.0, "AC400V"),
        (480.0, "AC480V"),
    ];
    let near = KNOWN.iter().find(|(known, _)| (known - v).abs() < 5.0);
    near.map_or(Json::Null, |(_, name)| (*name).into())
}
