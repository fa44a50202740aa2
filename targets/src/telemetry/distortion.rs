//! How telemetry fails, whatever the device really does.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::reading::Reading;
use crate::clock::Micros;
use crate::units::Span;

/// Readings that a delay may hold; older ones are dropped.
const MAX_HELD: usize = 4_096;

/// A way to ask a device.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Network UPS Tools.
    Nut,
    /// SNMP.
    Snmp,
    /// Modbus TCP.
    Modbus,
    /// Redfish.
    Redfish,
    /// Prometheus, and the state stream.
    Metrics,
}

/// How telemetry fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distortion {
    /// The agent has lost its device and says so, as its protocol does.
    Stale,
    /// The last reading stays, and nothing shows that it is old.
    Frozen,
    /// Readings come this much late.
    Delayed {
        /// How much.
        by: Span,
    },
    /// A variable shows this value.
    Lie {
        /// Its name in the reading, such as `charge`.
        variable: String,
        /// What it shows.
        value: Json,
    },
    /// A variable is multiplied: a wrong scale factor.
    Scale {
        /// Its name in the reading, such as `input_v`.
        variable: String,
        /// By what.
        factor: f64,
    },
    /// Every answer takes this much longer.
    Slow {
        /// How much.
        by: Span,
    },
    /// The agent does not answer.
    Lost,
    /// The agent loses its device and finds it again, half of the period each.
    Flapping {
        /// Its period.
        period: Span,
    },
    /// Two readings that follow each other change places.
    OutOfOrder,
}

/// A distortion in force, and whom it reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distorted {
    /// How.
    pub how: Distortion,
    /// The protocols; empty means all.
    #[serde(default)]
    pub protocols: Vec<Protocol>,
    /// The devices; empty means all.
    #[serde(default)]
    pub devices: Vec<String>,
}

impl Protocol {
    /// Every protocol that a device's card speaks.
    pub const OF_CARDS: [Self; 4] = [Self::Nut, Self::Snmp, Self::Modbus, Self::Redfish];

    /// Its name, as playbooks write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nut => "nut",
            Self::Snmp => "snmp",
            Self::Modbus => "modbus",
            Self::Redfish => "redfish",
            Self::Metrics => "metrics",
        }
    }
}

impl Distorted {
    /// Whether it reaches a device on a protocol.
    pub fn reaches(&self, protocol: Protocol, device: &str) -> bool {
        let among = self.devices.iter().any(|d| d == device);
        (self.protocols.is_empty() || self.protocols.contains(&protocol))
            && (self.devices.is_empty() || among)
    }
}

/// A distortion's memory for one device.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    since: Micros,
    held: VecDeque<(Micros, Arc<Reading>)>,
}

/// What a distortion makes of a device.
pub(super) enum Shown {
    /// This reading.
    Reading(Arc<Reading>),
    /// The agent has no fresh data.
    Stale,
}

impl Memory {
    /// Begins with what is shown now.
    pub(super) fn new(t_us: Micros, first: Option<Arc<Reading>>) -> Self {
        Self {
            since: t_us,
            held: first.into_iter().map(|r| (0, r)).collect(),
        }
    }

    /// A new reading arrived at `t_us`.
    pub(super) fn hear(&mut self, how: &Distortion, t_us: Micros, reading: &Arc<Reading>) {
        match how {
            Distortion::Frozen if !self.held.is_empty() => {}
            Distortion::Frozen | Distortion::Delayed { .. } => {
                if self.held.len() == MAX_HELD {
                    self.held.pop_front();
                }
                self.held.push_back((t_us, Arc::clone(reading)));
            }
            Distortion::OutOfOrder => self.swap((t_us, Arc::clone(reading))),
            _ => {}
        }
    }

    /// Of two new readings the second is shown first. The front is what is
    /// shown; behind it waits a newer one, or one that was overtaken.
    fn swap(&mut self, new: (Micros, Arc<Reading>)) {
        let overtaken = match (self.held.front(), self.held.get(1)) {
            (Some(shown), Some(waits)) => waits.0 < shown.0,
            _ => return self.held.push_back(new),
        };
        match overtaken {
            true => {
                self.held.pop_front();
                self.held.push_back(new);
            }
            false => self.held[0] = new,
        }
    }

    /// What is shown at `t_us` instead of `reading`.
    pub(super) fn show(&mut self, how: &Distortion, t_us: Micros, reading: Arc<Reading>) -> Shown {
        match how {
            Distortion::Stale => return Shown::Stale,
            Distortion::Flapping { period } => {
                let half = (period.micros() / 2).max(1);
                if (t_us.saturating_sub(self.since) / half).is_multiple_of(2) {
                    return Shown::Stale;
                }
            }
            Distortion::Frozen | Distortion::OutOfOrder => {
                if let Some((_, first)) = self.held.front() {
                    return Shown::Reading(Arc::clone(first));
                }
            }
            Distortion::Delayed { by } => {
                let known = t_us.saturating_sub(by.micros());
                while self.held.get(1).is_some_and(|(at, _)| *at <= known) {
                    self.held.pop_front();
                }
                if let Some((_, first)) = self.held.front() {
                    return Shown::Reading(Arc::clone(first));
                }
            }
            Distortion::Lie { variable, value } => {
                return Shown::Reading(with(&reading, variable, |_| value.clone()));
            }
            Distortion::Scale { variable, factor } => {
                let scale = |was: &Json| was.as_f64().map_or(was.clone(), |n| (n * factor).into());
                return Shown::Reading(with(&reading, variable, scale));
            }
            Distortion::Slow { .. } | Distortion::Lost => {}
        }
        Shown::Reading(reading)
    }
}

/// The reading with one variable changed; as it was where it has none of that
/// name or the value cannot be one of it.
fn with(
    reading: &Arc<Reading>,
    variable: &str,
    change: impl FnOnce(&Json) -> Json,
) -> Arc<Reading> {
    let mut json = serde_json::to_value(&**reading).unwrap_or_default();
    let fields = json.as_object_mut().and_then(|o| o.values_mut().next());
    if let Some(field) = fields.and_then(|f| f.get_mut(variable)) {
        *field = change(field);
    }
    serde_json::from_value(json).map_or_else(|_| Arc::clone(reading), Arc::new)
}
