//! The site as the service sees it now.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::config::RedfishConfig;
use super::look::Look;
use crate::clock::Micros;
use crate::telemetry::{Answer, Board, Identity, Protocol, Reading};

/// The protocol that this is.
pub(super) const US: Protocol = Protocol::Redfish;

/// What is remembered of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// Its last reading.
    pub(super) reading: Option<Arc<Reading>>,
    /// When it was last seen to start.
    pub(super) reset_us: Option<Micros>,
}

/// What is remembered of every device, by name.
pub(super) type Memory = BTreeMap<String, Remembered>;

/// The site at one moment.
pub(super) struct Site<'a> {
    pub(super) board: &'a Board,
    pub(super) config: &'a RedfishConfig,
    pub(super) memory: &'a Memory,
}

impl Site<'_> {
    /// A device by name, of one of these kinds.
    pub(super) fn device(&self, name: &str, kinds: &[&str]) -> Option<Look> {
        let identity = self.board.identity(name)?;
        kinds
            .contains(&identity.kind.as_str())
            .then(|| self.look(identity))
    }

    /// The devices of these kinds, in the order of the site.
    pub(super) fn devices(&self, kinds: &[&str]) -> Vec<Arc<Identity>> {
        let mut devices = self.board.devices();
        devices.retain(|identity| kinds.contains(&identity.kind.as_str()));
        devices
    }

    fn look(&self, identity: Arc<Identity>) -> Look {
        let answer = self.board.peek(US, &identity.name);
        let remembered = self.memory.get(&identity.name);
        let last = remembered.and_then(|r| r.reading.clone());
        let (reading, fresh) = match answer {
            Some(Answer::Reading(reading)) => (Some(reading), true),
            _ => (last, false),
        };
        Look {
            identity,
            reading,
            fresh,
        }
    }

    /// Warning, critical and fatal temperatures of the room.
    pub(super) fn room_limits(&self) -> Option<[f64; 3]> {
        let cooling = self.devices(&["cooling"]).into_iter().next()?;
        match self.look(cooling).reading.as_deref()? {
            Reading::Cooling(r) => Some(r.limits_c),
            _ => None,
        }
    }

    /// When a machine was last seen to start, as a date.
    pub(super) fn reset_time(&self, name: &str) -> Option<String> {
        let t_us = self.memory.get(name)?.reset_us?;
        Some(date(self.config, t_us))
    }
}

/// A moment of the run as a date.
pub(super) fn date(config: &RedfishConfig, t_us: Micros) -> String {
    let micros = config
        .epoch_s
        .saturating_mul(1_000_000)
        .saturating_add_unsigned(t_us);
    let stamp = Timestamp::from_microsecond(micros).unwrap_or_default();
    let whole = Timestamp::from_second(stamp.as_second()).unwrap_or_default();
    let text = whole.to_string();
    let millis = stamp.subsec_millisecond();
    format!("{}.{millis:03}Z", text.trim_end_matches('Z'))
}
