//! Probe packets: UDP echoes between a pair of nodes, sent and answered by the
//! nodes' own init processes, so that what is measured is the fabric and not a
//! service.

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// Where every node's init answers, by UDP and by TCP.
pub const PROBE_PORT: u16 = 7777;

/// IPv4 and UDP headers of a probe packet, in bytes.
pub const PROBE_HEADERS: u32 = 28;

/// The smallest payload of a probe packet, in bytes.
pub const PROBE_PAYLOAD_MIN: u32 = 40;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSpec {
    /// Sender.
    pub from: String,
    /// Echoing node.
    pub to: String,
    /// How many packets.
    pub count: u32,
    /// Time between packets.
    pub interval: Span,
    /// How long to wait for the last answer.
    pub wait: Span,
    /// Bytes of UDP payload, there and back; at least [`PROBE_PAYLOAD_MIN`].
    pub payload: u32,
    /// The sender's own port, so that a rule for one port meets the packets; a
    /// free one when left out.
    pub port: Option<u16>,
}

/// One probe packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The number of the packet, from 0 in order of sending.
    pub seq: u32,
    /// When it was sent, in microseconds since the first was.
    pub sent_us: u64,
    /// Microseconds on its way.
    pub way_us: u64,
}

/// What arrived one way, in order of arrival; a packet that came twice is there
/// twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Train {
    /// How many were sent.
    pub sent: u32,
    /// When each was, in microseconds since the first was; empty where that is
    /// not known. A sender may be late: it sends what it missed at once.
    pub sent_us: Vec<u64>,
    /// Those that arrived.
    pub arrivals: Vec<Arrival>,
}

impl Train {
    fn seen(&self) -> Vec<bool> {
        let mut seen = vec![false; self.sent as usize];
        for arrival in &self.arrivals {
            if let Some(seen) = seen.get_mut(arrival.seq as usize) {
                *seen = true;
            }
        }
        seen
    }

    /// How many packets arrived at least once.
    pub fn distinct(&self) -> u32 {
        self.seen().iter().filter(|seen| **seen).count() as u32
    }

    /// How many packets never arrived.
    pub fn missing(&self) -> u32 {
        self.sent - self.distinct()
    }

    /// How many arrivals were of a packet that had arrived before.
    pub fn duplicates(&self) -> u32 {
        self.arrivals.len() as u32 - self.distinct()
    }

    /// How many packets arrived for the first time when a later one had already.
    pub fn overtaken(&self) -> u32 {
        let mut seen = vec![false; self.sent as usize];
        let (mut highest, mut overtaken) = (0, 0);
        for arrival in &self.arrivals {
            let first = seen
                .get_mut(arrival.seq as usize)
                .is_some_and(|seen| !std::mem::replace(seen, true));
            overtaken += u32::from(first && arrival.seq < highest);
            highest = highest.max(arrival.seq);
        }
        overtaken
    }

    /// The lengths of the runs of packets that never arrived, in order.
    pub fn lost_runs(&self) -> Vec<u32> {
        let (mut runs, mut run) = (Vec::new(), 0);
        for seen in self.seen() {
            if !seen {
                run += 1;
            } else if run > 0 {
                runs.push(run);
                run = 0;
            }
        }
        runs.extend((run > 0).then_some(run));
        runs
    }

    /// The stretches in which nothing that was sent arrived, in order; by times,
    /// and so true of a sender that was late, too.
    pub fn darknesses(&self) -> Vec<Darkness> {
        let packets: Vec<(u64, bool)> = self.sent_us.iter().copied().zip(self.seen()).collect();
        let runs: Vec<&[(u64, bool)]> = packets.chunk_by(|a, b| a.1 == b.1).collect();
        let lost = runs.iter().enumerate().filter(|(_, run)| !run[0].1);
        lost.map(|(at, run)| {
            let (first, last) = (run[0].0, run[run.len() - 1].0);
            let before = at.checked_sub(1).and_then(|before| runs[before].last());
            let after = runs.get(at + 1).map_or(last, |after| after[0].0);
            Darkness {
                least_us: last - first,
                most_us: after - before.map_or(first, |before| before.0),
            }
        })
        .collect()
    }

    /// A quantile, 0 to 1, of the microseconds on the way.
    pub fn way_us(&self, quantile: f64) -> Option<u64> {
        let mut ways: Vec<u64> = self.arrivals.iter().map(|a| a.way_us).collect();
        ways.sort_unstable();
        let last = ways.len().checked_sub(1)?;
        ways.get((last as f64 * quantile).round() as usize).copied()
    }
}

/// How long nothing arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Darkness {
    /// From the first packet that was lost to the last.
    pub least_us: u64,
    /// From the last packet that arrived before to the first one after.
    pub most_us: u64,
}

impl Darkness {
    /// The middle of the two bounds, in milliseconds.
    pub fn likely_ms(self) -> f64 {
        (self.least_us + self.most_us) as f64 / 2e3
    }
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Packets sent.
    pub sent: u32,
    /// Packets that reached the echoing node, as it counted them, a packet that
    /// came twice counted twice; shows a one-way cut. `None` when it could not
    /// be asked.
    pub arrived: Option<u32>,
    /// Packets answered.
    pub answered: u32,
    /// Round-trip times of the first answers, in microseconds, in order of
    /// sending.
    pub rtt_us: Vec<u64>,
    /// What reached the echoing node. `None` when it could not be asked.
    pub there: Option<Train>,
    /// The answers: an answer's number is that of the arrival that it answers.
    pub back: Train,
    /// Packets that the echoing node's kernel dropped for their checksum
    /// meanwhile, whoever sent them. `None` when it could not be asked.
    pub bad_checksums: Option<u64>,
}

impl ProbeReport {
    /// The share of packets without an answer, 0 to 1.
    pub fn lost(&self) -> f64 {
        if self.sent == 0 {
            0.0
        } else {
            1.0 - f64::from(self.answered) / f64::from(self.sent)
        }
    }

    /// The median round trip in microseconds.
    pub fn rtt_median_us(&self) -> Option<u64> {
        let mut sorted = self.rtt_us.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

/// A TCP connection between the inits of two nodes, on which bytes go to and fro
/// until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSpec {
    /// Who connects.
    pub from: String,
    /// To whose [`PROBE_PORT`].
    pub to: String,
    /// The connecting end's own port; a free one when left out.
    pub port: Option<u16>,
}

/// How one end of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Established.
    Open,
    /// Ended by a reset.
    Reset,
    /// Ended otherwise: the peer closed it, or never answered.
    Ended,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionReport {
    /// The end that connected.
    pub near: End,
    /// The other end; `None` when it could not be asked.
    pub far: Option<End>,
    /// How many times bytes went there and back.
    pub exchanges: u32,
}

/// What the processes of a node are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// No process of it exists.
    Down,
    /// Every service process is stopped (`T` in its `/proc` status).
    Stopped,
    /// At least one service process can run.
    Running,
    /// The node is up, and no service process exists.
    Empty,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(sent: u32, seqs: &[u32]) -> Train {
        let arrival = |seq: &u32| Arrival {
            seq: *seq,
            sent_us: u64::from(*seq) * 10,
            way_us: u64::from(*seq),
        };
        Train {
            sent,
            sent_us: (0..u64::from(sent)).map(|seq| seq * 10).collect(),
            arrivals: seqs.iter().map(arrival).collect(),
        }
    }

    #[test]
    fn a_train_in_order_shows_nothing() {
        let train = train(4, &[0, 1, 2, 3]);
        assert_eq!((train.missing(), train.duplicates()), (0, 0));
        assert_eq!((train.overtaken(), train.lost_runs()), (0, vec![]));
        assert_eq!(train.way_us(0.5), Some(2));
    }

    #[test]
    fn losses_copies_and_overtaking_are_told_apart() {
        let train = train(9, &[1, 1, 4, 3, 3, 5, 1]);
        assert_eq!((train.distinct(), train.missing()), (4, 5));
        assert_eq!((train.duplicates(), train.overtaken()), (3, 1));
        assert_eq!(train.lost_runs(), [1, 1, 3]);
        assert_eq!(Train::default().way_us(0.5), None);
    }

    #[test]
    fn a_darkness_is_as_long_as_the_times_of_packets_say() {
        // 1 to 3 are lost; 4, which was due at 40, left late; then 6 is lost.
        let times = Train {
            sent_us: vec![0, 10, 20, 30, 47, 50, 60],
            ..train(7, &[0, 4, 5])
        };
        let dark = |least_us, most_us| Darkness { least_us, most_us };
        assert_eq!(times.darknesses(), [dark(20, 47), dark(0, 10)]);
        assert_eq!(dark(20_000, 48_000).likely_ms(), 34.0);
        assert_eq!(Train::default().darknesses(), []);
    }
}
