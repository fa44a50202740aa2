//! A network of numbers: what rules do to probe packets and connections.

use std::collections::BTreeMap;

use ridethrough_targets::units::PerUnit;
use ridethrough_targets::world::{
    Arrival, ConnectionReport, ConnectionSpec, Direction, Distribution, End, Impairment, LinkRule,
    PROBE_HEADERS, ProbeReport, ProbeSpec, RuleId, Train,
};

/// One way of an empty link, in microseconds.
const WAY_US: u64 = 75;
/// Bytes of a probe's Ethernet header beside IPv4 and UDP.
const ETHERNET: u32 = 14;

/// Rules and connections.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) rules: BTreeMap<RuleId, LinkRule>,
    connections: Vec<(ConnectionSpec, bool)>,
}

/// Packet number `at` is one of a share, evenly.
fn chosen(at: u64, share: PerUnit) -> bool {
    let so_far = |n: u64| (n as f64 * share.get()).floor();
    so_far(at + 1) > so_far(at)
}

impl Wire {
    /// What rules do one way.
    fn on_the_way(&self, from: &str, to: &str) -> Vec<&Impairment> {
        let side = |side: &[String], node: &str| side.iter().any(|n| n == node);
        let hits = |rule: &&LinkRule| {
            let other = |node: &str| rule.b.is_empty() || side(&rule.b, node);
            let there = side(&rule.a, from) && other(to);
            let back = side(&rule.a, to) && other(from);
            there || back && rule.direction == Direction::Both
        };
        let rules = self.rules.values().filter(hits);
        rules.map(|rule| &rule.impairment).collect()
    }

    /// Sends packets that leave at these times; returns the train and how many
    /// were damaged.
    fn send(&self, (from, to): (&str, &str), payload: u32, leave_us: &[u64]) -> (Train, u64) {
        let rules = self.on_the_way(from, to);
        let (mut arrivals, mut damaged) = (Vec::new(), 0);
        let mut busy_us = 0.0_f64;
        for (seq, sent_us) in leave_us.iter().enumerate() {
            let mut fate = Fate::default();
            for rule in &rules {
                fate.meet(rule, seq as u64, *sent_us, payload, &mut busy_us);
            }
            damaged += u64::from(fate.damaged);
            if fate.lost || fate.damaged {
                continue;
            }
            let arrival = Arrival {
                seq: seq as u32,
                sent_us: *sent_us,
                way_us: WAY_US + fate.late_us,
            };
            arrivals.extend(std::iter::repeat_n(arrival, 1 + fate.copies));
        }
        arrivals.sort_by_key(|arrival| arrival.sent_us + arrival.way_us);
        let sent = leave_us.len() as u32;
        let sent_us = leave_us.to_vec();
        let train = Train {
            sent,
            sent_us,
            arrivals,
        };
        (train, damaged)
    }

    /// A train there and back.
    pub(crate) fn probe(&self, spec: &ProbeSpec) -> ProbeReport {
        let leave = (0..u64::from(spec.count)).map(|at| at * spec.interval.micros());
        let leave: Vec<u64> = leave.collect();
        let ends = (spec.from.as_str(), spec.to.as_str());
        let (there, damaged) = self.send(ends, spec.payload, &leave);
        let came: Vec<u64> = there
            .arrivals
            .iter()
            .map(|a| a.sent_us + a.way_us)
            .collect();
        let (back, _) = self.send((ends.1, ends.0), spec.payload, &came);
        let mut trips = BTreeMap::new();
        for answer in &back.arrivals {
            let asked = &there.arrivals[answer.seq as usize];
            trips
                .entry(asked.seq)
                .or_insert(asked.way_us + answer.way_us);
        }
        ProbeReport {
            sent: spec.count,
            arrived: Some(there.arrivals.len() as u32),
            answered: trips.len() as u32,
            rtt_us: trips.into_values().collect(),
            there: Some(there),
            back,
            bad_checksums: Some(damaged),
        }
    }

    /// A rule that resets stands on the way of two nodes.
    fn resets(&self, spec: &ConnectionSpec) -> bool {
        let reset = |rule: &&Impairment| matches!(rule, Impairment::Reset { .. });
        let there = self.on_the_way(&spec.from, &spec.to);
        there.iter().any(reset) || self.on_the_way(&spec.to, &spec.from).iter().any(reset)
    }

    pub(crate) fn connect(&mut self, spec: &ConnectionSpec) -> u64 {
        self.connections.push((spec.clone(), false));
        self.connections.len() as u64 - 1
    }

    pub(crate) fn connection(&mut self, number: u64) -> ConnectionReport {
        let spec = self.connections[number as usize].0.clone();
        let reset = self.resets(&spec) || self.connections[number as usize].1;
        self.connections[number as usize].1 = reset;
        let end = if reset { End::Reset } else { End::Open };
        ConnectionReport {
            near: end,
            far: Some(end),
            exchanges: if reset { 0 } else { 10 },
        }
    }
}

/// What becomes of one packet.
#[derive(Default)]
struct Fate {
    lost: bool,
    damaged: bool,
    copies: usize,
    late_us: u64,
}

impl Fate {
    fn meet(&mut self, rule: &Impairment, seq: u64, at_us: u64, payload: u32, busy_us: &mut f64) {
        match rule {
            Impairment::Drop => self.lost = true,
            Impairment::Flap { period, down } => {
                self.lost |= at_us % period.micros() < down.micros();
            }
            Impairment::Loss { probability } => self.lost |= chosen(seq, *probability),
            // Good and bad by turns, each as long as it is on average.
            Impairment::GilbertElliott(asked) => {
                let (good, bad) = (1.0 / asked.p.get(), 1.0 / asked.r.get());
                self.lost |= (seq as f64) % (good + bad) >= good;
            }
            // Without gaps in bursts and losses between them, the same.
            Impairment::FourState(asked) => {
                let (good, bad) = (1.0 / asked.p13.get(), 1.0 / asked.p31.get());
                self.lost |= (seq as f64) % (good + bad) >= good;
            }
            Impairment::Delay {
                delay,
                jitter,
                distribution,
                ..
            } => {
                // Low, middle and high quartile by turns.
                let quartile = match distribution {
                    Distribution::Uniform => 0.5,
                    Distribution::Normal => 0.674,
                    Distribution::Pareto => 0.281,
                };
                let off = ((seq % 4) as f64 - 1.5) / 1.5 * quartile;
                let late = delay.micros() as f64 + off * jitter.micros() as f64;
                self.late_us += late.max(0.0) as u64;
            }
            Impairment::Rate { rate, .. } => {
                let bits = f64::from((payload + PROBE_HEADERS + ETHERNET) * 8);
                *busy_us = busy_us.max(at_us as f64) + bits / rate.get() * 1e6;
                self.late_us += (*busy_us - at_us as f64) as u64;
            }
            Impairment::Duplicate { probability } => {
                self.copies += usize::from(chosen(seq, *probability));
            }
            Impairment::Reorder { probability, by } => {
                self.late_us += u64::from(chosen(seq, *probability)) * by.micros();
            }
            Impairment::Corrupt { probability } => self.damaged |= chosen(seq, *probability),
            Impairment::Reset { .. } => {}
            Impairment::MtuBlackHole { mtu } => self.lost |= payload + PROBE_HEADERS > *mtu,
        }
    }
}
