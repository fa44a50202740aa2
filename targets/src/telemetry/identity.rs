//! Who a device is.

use serde::{Deserialize, Serialize};

/// A device's name plate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Its name in the site.
    pub name: String,
    /// The kind of its readings, such as `ups`; see `Reading::kind`.
    pub kind: String,
    /// As a data sheet's headline: `VFI 20kW`.
    pub description: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// Its serial number, made of its name.
    pub serial: String,
    /// The components that feed it, by name.
    pub from: Vec<String>,
    /// The PDUs that it feeds, where it is a UPS or a BESS.
    pub feeds: Vec<String>,
}

impl Identity {
    /// The name plate of a device of ours.
    pub fn new(name: &str, kind: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            description: description.into(),
            manufacturer: "ridethrough".into(),
            model: format!("ridethrough {kind}"),
            serial: format!("RT-{name}"),
            ..Self::default()
        }
    }
}
