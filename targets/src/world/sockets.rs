//! TCP connections as a node's kernel holds them: what of it would notice that the
//! other side has fallen silent.

use std::net::SocketAddrV4;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::net::{Keepalive, SocketOptions};

/// An established connection of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// This end.
    pub local: SocketAddrV4,
    /// The other end.
    pub peer: SocketAddrV4,
    /// What its kernel does about silence.
    pub watch: Watch,
}

/// What a kernel does about silence on a connection, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Watch {
    /// Keepalive; `None` where it is off.
    pub keepalive: Option<Probing>,
    /// `TCP_USER_TIMEOUT`; `None` where it is 0.
    pub user_timeout_us: Option<Micros>,
}

/// Keepalive of a socket: `TCP_KEEPIDLE`, `TCP_KEEPINTVL` and `TCP_KEEPCNT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Probing {
    /// Silence before the first probe.
    pub idle_us: Micros,
    /// From one probe to the next.
    pub interval_us: Micros,
    /// Probes without answer before the connection is given up.
    pub count: u32,
}

impl Watch {
    /// As a socket with these options has it.
    pub fn of(options: &SocketOptions) -> Self {
        Self {
            keepalive: options.keepalive.map(Probing::from),
            user_timeout_us: options.user_timeout.map(micros),
        }
    }

    /// How soon the kernel gives up a connection whose peer falls silent, while
    /// everything that was sent is acknowledged: the case of a reader of a stream.
    /// `None`: never. Linux looks at the user timeout only when a probe is due, and
    /// the timeout then takes the place of the count (`tcp_keepalive_timer`).
    pub fn reader_bound_us(&self) -> Option<Micros> {
        let Probing {
            idle_us,
            interval_us,
            count,
        } = self.keepalive?;
        let probes = match self.user_timeout_us {
            None => u64::from(count),
            // One probe at least must have gone unanswered.
            Some(timeout) => {
                let beyond = timeout.saturating_sub(idle_us);
                beyond.div_ceil(interval_us.max(1)).max(1)
            }
        };
        Some(idle_us.saturating_add(interval_us.saturating_mul(probes)))
    }
}

impl From<Keepalive> for Probing {
    fn from(keepalive: Keepalive) -> Self {
        Self {
            idle_us: micros(keepalive.idle),
            interval_us: micros(keepalive.interval),
            count: keepalive.count,
        }
    }
}

fn micros(span: Duration) -> Micros {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Probing, Watch};

    const S: u64 = 1_000_000;

    fn watch(keepalive: Option<(u64, u64, u32)>, user_timeout_s: Option<u64>) -> Watch {
        Watch {
            keepalive: keepalive.map(|(idle, interval, count)| Probing {
                idle_us: idle * S,
                interval_us: interval * S,
                count,
            }),
            user_timeout_us: user_timeout_s.map(|s| s * S),
        }
    }

    #[test]
    fn bounds_of_readers() {
        let cases = [
            (None, None, None),
            // Nothing is unacknowledged, so nothing times out.
            (None, Some(3), None),
            (Some((2, 1, 3)), None, Some(5)),
            // Linux's own defaults: 2 h, and 9 probes 75 s apart.
            (Some((7200, 75, 9)), None, Some(7875)),
            // The user timeout overtakes keepalive, at the probe after it.
            (Some((2, 1, 9)), Some(3), Some(3)),
            (Some((2, 2, 3)), Some(3), Some(4)),
            (Some((5, 2, 2)), Some(30), Some(31)),
            // It cannot act before a probe was left unanswered.
            (Some((5, 2, 2)), Some(1), Some(7)),
        ];
        for (keepalive, timeout, seconds) in cases {
            let found = watch(keepalive, timeout).reader_bound_us();
            assert_eq!(
                found,
                seconds.map(|s: u64| s * S),
                "{keepalive:?} {timeout:?}"
            );
        }
    }
}
