//! Probes and connections between nodes' inits, as the harness asks for them.

use std::sync::atomic::Ordering;

use crate::world::{
    Arrival, ConnectionReport, ConnectionSpec, ProbeReport, ProbeSpec, Train, WorldError,
};

use super::live::lock;
use super::message::{Answer, Ask, Seen};
use super::world::{ASK_LIMIT, EmbeddedWorld};

/// The longest probe, in packets: what came of it must fit into a message.
const PROBE_MAX: u32 = 3_000;

fn odd<T>(answer: &Answer) -> Result<T, WorldError> {
    Err(WorldError::Failed(format!("odd answer: {answer:?}")))
}

fn train(sent_us: Vec<u64>, seen: &[Seen]) -> Train {
    let arrival = |seen: &Seen| Arrival {
        seq: seen.0,
        sent_us: u64::from(seen.1),
        way_us: u64::from(seen.2),
    };
    Train {
        sent: sent_us.len() as u32,
        sent_us,
        arrivals: seen.iter().map(arrival).collect(),
    }
}

impl EmbeddedWorld {
    /// See [`World::probe`](crate::world::World::probe).
    pub(super) async fn probe_pair(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError> {
        self.known(&spec.to)?;
        let from = self.live(&spec.from)?;
        if spec.count > PROBE_MAX {
            let text = format!("a probe of {} packets is more than {PROBE_MAX}", spec.count);
            return Err(WorldError::Failed(text));
        }
        let to = self.config.hosts.get(&spec.to).copied();
        let to = to.ok_or_else(|| WorldError::NoNode(spec.to.clone()))?;
        let token = self.probes.fetch_add(1, Ordering::Relaxed);
        let ask = Ask::Probe {
            token,
            to,
            count: spec.count,
            interval_us: spec.interval.micros(),
            wait_us: spec.wait.micros(),
            payload: spec.payload,
            port: spec.port,
        };
        let length = spec.interval.duration() * spec.count + spec.wait.duration();
        let bad_before = self.bad_checksums(&spec.to).await;
        let answer = from.ask(ask, length + ASK_LIMIT).await?;
        let Answer::Probed {
            late_us,
            rtt_us,
            back,
        } = answer
        else {
            return odd(&answer);
        };
        let seen = match self.find(&spec.to) {
            Some(to) => match to.ask(Ask::Arrived(token), ASK_LIMIT).await {
                Ok(Answer::Arrived(seen)) => Some(seen),
                _ => None,
            },
            None => None,
        };
        let bad_after = self.bad_checksums(&spec.to).await;
        let first = u64::from(late_us.first().copied().unwrap_or_default());
        let since = |(seq, late): (u64, &u32)| {
            (seq * spec.interval.micros() + u64::from(*late)).saturating_sub(first)
        };
        let sent_us: Vec<u64> = (0..).zip(&late_us).map(since).collect();
        let sent = sent_us.len() as u32;
        let there = seen.map(|seen| train(sent_us, &seen));
        // Whoever echoes a packet sends its answer at once.
        let echoed = there.iter().flat_map(|there| &there.arrivals);
        let echoed = echoed
            .map(|packet| packet.sent_us + packet.way_us)
            .collect();
        Ok(ProbeReport {
            sent,
            arrived: there.as_ref().map(|there| there.arrivals.len() as u32),
            answered: rtt_us.len() as u32,
            rtt_us,
            there,
            back: train(echoed, &back),
            bad_checksums: bad_before
                .zip(bad_after)
                .map(|(before, after)| after.saturating_sub(before)),
        })
    }

    async fn bad_checksums(&self, node: &str) -> Option<u64> {
        match self.find(node)?.ask(Ask::Checksums, ASK_LIMIT).await {
            Ok(Answer::Checksums(count)) => Some(count),
            _ => None,
        }
    }

    /// See [`World::connect`](crate::world::World::connect).
    pub(super) async fn connect_pair(&self, spec: &ConnectionSpec) -> Result<u64, WorldError> {
        self.live(&spec.to)?;
        let from = self.live(&spec.from)?;
        let to = self.config.hosts.get(&spec.to).copied();
        let to = to.ok_or_else(|| WorldError::NoNode(spec.to.clone()))?;
        let token = self.probes.fetch_add(1, Ordering::Relaxed);
        let port = spec.port;
        match from
            .ask(Ask::Connect { token, to, port }, ASK_LIMIT)
            .await?
        {
            Answer::Connected => {}
            answer => return odd(&answer),
        }
        lock(&self.ties).insert(token, (spec.from.clone(), spec.to.clone()));
        Ok(token)
    }

    /// See [`World::connection`](crate::world::World::connection).
    pub(super) async fn look_at(&self, number: u64) -> Result<ConnectionReport, WorldError> {
        let none = || WorldError::Failed(format!("no connection {number}"));
        let ends = lock(&self.ties).get(&number).cloned();
        let (from, to) = ends.ok_or_else(none)?;
        let near = match self.live(&from)?.ask(Ask::Near(number), ASK_LIMIT).await? {
            Answer::Near(near) => near.ok_or_else(none)?,
            answer => return odd(&answer),
        };
        let far = match self.find(&to) {
            Some(to) => match to.ask(Ask::Far(number), ASK_LIMIT).await {
                Ok(Answer::Far(far)) => far,
                _ => None,
            },
            None => None,
        };
        Ok(ConnectionReport { far, ..near })
    }

    /// See [`World::disconnect`](crate::world::World::disconnect).
    pub(super) async fn let_go(&self, number: u64) {
        let ends = lock(&self.ties).shift_remove(&number);
        if let Some(from) = ends.and_then(|(from, _)| self.find(&from)) {
            // A node that is gone holds nothing.
            let _ = from.ask(Ask::Release(number), ASK_LIMIT).await;
        }
    }
}
