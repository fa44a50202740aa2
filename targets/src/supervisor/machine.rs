//! What the supervisor believes of its site: a state machine over what its
//! devices say, without input or output.
//!
//! ```text
//!            ┌──────────────── transferring ─┐
//!  utility ──┤                     │         │
//!     ▲      └──────────▶ on_battery ◀───────┼──▶ low_battery ──▶ shutting_down
//!     │                     │                │        │                │
//!     │                     ▼                ▼        ▼                ▼
//!     └── recovered ◀── retransfer ◀─────────┴────────┴────────────────┘
//!
//!  any but shutting_down ──▶ blind ──▶ what the devices say
//! ```

use super::config::{SupervisorConfig, SupervisorState as State};
use crate::clock::Micros;

/// What one device says of itself.
#[derive(Clone, Copy, Debug)]
pub struct DeviceView<'a> {
    /// Its name.
    pub name: &'a str,
    /// It answered lately enough.
    pub heard: bool,
    /// Its last `ups.status`; empty when it never answered.
    pub status: &'a str,
    /// A shutdown is ordered for it.
    pub fsd: bool,
}

/// One transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state left.
    pub from: State,
    /// The state entered.
    pub to: State,
    /// What moved it.
    pub cause: String,
}

/// What follows from one look at the devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Transitions, in order.
    pub steps: Vec<Step>,
    /// Devices whose clients must shut down (set FSD on them).
    pub shut_down: Vec<String>,
    /// Mains is back and settled: shutdown orders are over.
    pub release: bool,
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Machine {
    state: State,
    settle_us: Micros,
    shut_down: bool,
    /// When mains came back, in [`State::Retransfer`].
    back_us: Micros,
    /// Mains was lost before or during the shutdown.
    left_mains: bool,
    /// Nothing was wrong when sight was lost.
    calm: bool,
}

/// What the worst device stands on; later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Footing {
    Mains,
    Unsaid,
    Battery,
    Low,
}

fn footing(status: &str) -> Footing {
    let has = |token: &str| status.split_ascii_whitespace().any(|t| t == token);
    if has("OB") {
        // A calibration empties the battery on purpose.
        match has("LB") && !has("CAL") {
            true => Footing::Low,
            false => Footing::Battery,
        }
    } else if has("OL") && !has("OFF") {
        Footing::Mains
    } else {
        Footing::Unsaid
    }
}

/// A look at all devices, boiled down.
struct Site<'a> {
    heard: bool,
    worst: Option<(Footing, &'a DeviceView<'a>)>,
    fsd: Option<&'a DeviceView<'a>>,
}

impl<'a> Site<'a> {
    /// A device that cannot be heard counts as it was last heard, as long as
    /// another one can.
    fn of(devices: &'a [DeviceView<'a>]) -> Self {
        let known = devices.iter().filter(|d| !d.status.is_empty());
        let has_fsd = |d: &&DeviceView<'_>| {
            d.fsd
                || d.status
                    .split_ascii_whitespace()
                    .any(|token| token == "FSD")
        };
        Self {
            heard: devices.iter().any(|d| d.heard),
            worst: known
                .map(|d| (footing(d.status), d))
                .reduce(|a, b| if b.0 > a.0 { b } else { a }),
            fsd: devices.iter().find(has_fsd),
        }
    }

    fn footing(&self) -> Footing {
        self.worst.map_or(Footing::Unsaid, |(footing, _)| footing)
    }

    fn cause(&self) -> String {
        match self.worst {
            None => "no device has answered yet".into(),
            Some((Footing::Mains, _)) => "every device on mains".into(),
            Some((_, device)) => format!("{}: {}", device.name, device.status),
        }
    }
}

impl Machine {
    /// A machine that has seen nothing yet: blind.
    pub fn new(policy: &SupervisorConfig) -> Self {
        Self {
            state: State::Blind,
            settle_us: policy.settle.micros(),
            shut_down: policy.shutdown_on_low_battery,
            back_us: 0,
            left_mains: false,
            calm: true,
        }
    }

    /// The present state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Looks at the devices and moves as far as they say.
    pub fn look(&mut self, now_us: Micros, devices: &[DeviceView<'_>]) -> Look {
        let site = Site::of(devices);
        let mut look = Look::default();
        if self.state == State::ShuttingDown && site.footing() != Footing::Mains {
            self.left_mains = true;
        }
        // The longest way in one look is blind, low, shutting down; `recovered`
        // lasts until the next look.
        for _ in 0..4 {
            let Some((to, cause)) = self.next(now_us, &site) else {
                break;
            };
            self.enter(to, now_us, &site, &mut look);
            look.steps.push(Step {
                from: std::mem::replace(&mut self.state, to),
                to,
                cause,
            });
            if to == State::Recovered {
                break;
            }
        }
        // A device that runs low later, in a shutdown under way, follows it.
        if self.state == State::ShuttingDown && self.shut_down {
            let low = devices
                .iter()
                .filter(|d| footing(d.status) == Footing::Low && !d.fsd);
            look.shut_down.extend(low.map(|d| d.name.to_string()));
        }
        look
    }

    fn enter(&mut self, to: State, now_us: Micros, site: &Site<'_>, look: &mut Look) {
        match to {
            State::Retransfer => self.back_us = now_us,
            State::Recovered => look.release = true,
            State::Blind => self.calm = matches!(self.state, State::Utility | State::Recovered),
            State::ShuttingDown => self.left_mains = site.footing() != Footing::Mains,
            _ => {}
        }
    }

    fn next(&self, now_us: Micros, site: &Site<'_>) -> Option<(State, String)> {
        if !site.heard {
            return self.next_unheard();
        }
        let ordered = |device: &DeviceView<'_>| format!("{}: shutdown ordered (FSD)", device.name);
        let footing = site.footing();
        let to = match (self.state, footing) {
            // ## Utility, Transferring, OnBattery, LowBattery => ShuttingDown (FSD)
            (State::Utility | State::Transferring | State::OnBattery | State::LowBattery, _)
                if site.fsd.is_some() =>
            {
                return site.fsd.map(|d| (State::ShuttingDown, ordered(d)));
            }
            // ## LowBattery => ShuttingDown (policy)
            (State::LowBattery, Footing::Low) if self.shut_down => {
                let cause = format!("{}, policy", site.cause());
                return Some((State::ShuttingDown, cause));
            }
            // ## Retransfer => Recovered (mains steady)
            (State::Retransfer, Footing::Mains) => {
                let steady = now_us.saturating_sub(self.back_us) >= self.settle_us;
                return steady.then(|| (State::Recovered, "mains steady".into()));
            }
            // ## ShuttingDown => Retransfer (mains lost and back)
            (State::ShuttingDown, Footing::Mains) if self.left_mains => State::Retransfer,
            (State::ShuttingDown, _) => return None,
            // ## Utility, Recovered, Transferring, Blind => Utility
            (State::Utility | State::Recovered | State::Transferring, Footing::Mains) => {
                State::Utility
            }
            (State::Blind, Footing::Mains) if self.calm => State::Utility,
            // ## Blind, OnBattery, LowBattery => Retransfer
            (State::Blind | State::OnBattery | State::LowBattery, Footing::Mains) => {
                State::Retransfer
            }
            // ## OnBattery, LowBattery stay while a device is between sources
            (State::OnBattery | State::LowBattery, Footing::Unsaid) => return None,
            // ## Utility, Recovered, Retransfer, Blind => Transferring
            (_, Footing::Unsaid) => State::Transferring,
            // ## any => OnBattery
            (_, Footing::Battery) => State::OnBattery,
            // ## any => LowBattery
            (_, Footing::Low) => State::LowBattery,
        };
        (to != self.state).then(|| (to, site.cause()))
    }

    /// ## any but ShuttingDown => Blind
    ///
    /// A shutdown goes on unseen.
    fn next_unheard(&self) -> Option<(State, String)> {
        let sees = !matches!(self.state, State::Blind | State::ShuttingDown);
        sees.then(|| (State::Blind, "no device answers".into()))
    }
}

#[cfg(test)]
mod tests;
