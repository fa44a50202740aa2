//! Sensors.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, resource, uri, with};
use super::super::look::{Health, Look};
use super::super::resource::Resource;
use super::super::site::{Site, date};

/// One sensor of a device.
pub(super) struct Sensor {
    pub(super) id: String,
    /// Redfish `ReadingType`, and its unit in UCUM.
    pub(super) kind: (&'static str, &'static str),
    pub(super) value: f64,
    pub(super) context: &'static str,
    /// Upper caution, critical and fatal thresholds.
    pub(super) upper: Option<[f64; 3]>,
}

pub(super) const VOLTS: (&str, &str) = ("Voltage", "V");
pub(super) const AMPERES: (&str, &str) = ("Current", "A");
pub(super) const WATTS: (&str, &str) = ("Power", "W");
pub(super) const HERTZ: (&str, &str) = ("Frequency", "Hz");
pub(super) const KWH: (&str, &str) = ("EnergykWh", "kW.h");
pub(super) const CELSIUS: (&str, &str) = ("Temperature", "Cel");

impl Sensor {
    pub(super) fn new(id: impl Into<String>, kind: (&'static str, &'static str), v: f64) -> Self {
        Self {
            id: id.into(),
            kind,
            value: v,
            context: "PowerSubsystem",
            upper: None,
        }
    }

    fn health(&self) -> Health {
        match self.upper {
            Some([_, critical, _]) if self.value > critical => Health::Critical,
            Some([caution, ..]) if self.value > caution => Health::Warning,
            _ => Health::Ok,
        }
    }

    fn document(&self, site: &Site<'_>, look: &Look, below: &[&str]) -> Json {
        let here = sensor_uri(below, &self.id);
        let map = resource("Sensor", &here, &self.id, &self.id);
        let mut document = json!({
            "ReadingType": self.kind.0,
            "ReadingUnits": self.kind.1,
            "Reading": look.number(self.value),
            "PhysicalContext": self.context,
            "Status": look.status(self.health()),
        });
        if let Some(reading) = look.reading.as_deref()
            && look.fresh
        {
            document["ReadingTime"] = date(site.config, reading.t_us()).into();
        }
        if let Some([caution, critical, fatal]) = self.upper {
            document["Thresholds"] = json!({
                "UpperCaution": {"Reading": caution},
                "UpperCritical": {"Reading": critical},
                "UpperFatal": {"Reading": fatal},
            });
        }
        with(map, document)
    }
}

/// Where a device's sensor is.
pub(super) fn sensor_uri(below: &[&str], id: &str) -> String {
    uri(&[below, &["Sensors", id]].concat())
}

/// The sensors of a device at a path below `Sensors`.
pub(super) fn find(
    site: &Site<'_>,
    look: &Look,
    below: &[&str],
    sensors: &[Sensor],
    path: &[&str],
) -> Option<Resource> {
    let document = match path {
        [] => {
            let members = sensors.iter().map(|s| sensor_uri(below, &s.id));
            let here = uri(&[below, &["Sensors"]].concat());
            collection("Sensor", &here, "Sensors", members.collect())
        }
        [id] => sensors
            .iter()
            .find(|s| s.id == *id)?
            .document(site, look, below),
        _ => return None,
    };
    Some(Resource::fixed(document))
}
