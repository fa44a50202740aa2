//! Who could notice that a machine has fallen silent: what the sockets towards it
//! imply, beside what was measured.

use std::fmt::Write;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::AttemptEnd;

use super::facts::RunFacts;
use crate::record::SocketReport;

/// The connections of one machine to one that fell silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detector {
    /// `power cut`, or the kind of the fault.
    pub cause: String,
    /// The machine that is left.
    pub node: String,
    /// The machine that fell silent.
    pub peer: String,
    /// How many connections.
    pub sockets: u32,
    /// How soon its kernel alone would give them up; `None`: never.
    pub bound_us: Option<Micros>,
    /// What that follows from.
    pub by: String,
    /// How long after that it was first seen to notice.
    pub noticed_us: Option<Micros>,
}

/// Every such pair, in order of time.
pub fn detectors(facts: &RunFacts) -> Vec<Detector> {
    let of = |report: &SocketReport| {
        let (bound_us, by) = implied(report);
        Detector {
            cause: report.cause.clone(),
            node: report.node.clone(),
            peer: report.peer.clone(),
            sockets: report.count,
            bound_us,
            by,
            noticed_us: noticed(facts, report),
        }
    };
    facts.sockets.iter().map(of).collect()
}

fn implied(report: &SocketReport) -> (Option<Micros>, String) {
    let watch = &report.watch;
    let Some(probing) = watch.keepalive else {
        return (None, "no keepalive".into());
    };
    let seconds = |us: Micros| us as f64 / 1e6;
    let mut by = format!(
        "keepalive {} s + {} × {} s",
        seconds(probing.idle_us),
        probing.count,
        seconds(probing.interval_us)
    );
    if let Some(timeout) = watch.user_timeout_us {
        let _ = write!(by, ", user timeout {} s", seconds(timeout));
    }
    if report.cause == "hang" {
        // A hang is of programs: the kernel beneath them goes on answering probes.
        return (None, format!("{by}, which a hung machine answers"));
    }
    (watch.reader_bound_us(), by)
}

/// When an attempt of this machine at that one first failed, or that one was taken out,
/// while it was silent.
fn noticed(facts: &RunFacts, report: &SocketReport) -> Option<Micros> {
    let start = report.since_us;
    let end = silent_until(facts, report);
    let tried = facts.attempts.iter();
    let ours = tried.filter(|t| t.gateway == report.node && t.attempt.replica == report.peer);
    let failed = ours.filter(|tried| {
        let end = tried.attempt.end;
        !matches!(end, AttemptEnd::Completed | AttemptEnd::ClientGone)
    });
    let watched = format!("replica:{}", report.peer);
    let moves = facts.moves.iter();
    let out = moves.filter(|m| m.of == watched && m.to == "unhealthy");
    let times = failed.map(|t| t.attempt.end_us).chain(out.map(|m| m.t_us));
    let first = times.filter(|t| (start..=end).contains(t)).min()?;
    Some(first - start)
}

/// The end of the fault, or the power's return.
fn silent_until(facts: &RunFacts, report: &SocketReport) -> Micros {
    let fault = |index| facts.faults.iter().find(|f| f.receipt.fault == index);
    if let Some(fault) = report.fault.and_then(fault) {
        return fault.end_us(facts.last_us);
    }
    let power = facts.node_power.get(&report.peer).into_iter().flatten();
    let mut back = power.filter(|(t, on)| *on && *t > report.since_us);
    back.next().map_or(facts.last_us, |(t, _)| *t)
}

#[cfg(test)]
mod tests {
    use ridethrough_targets::world::{Probing, Watch};

    use super::super::RunFacts;
    use super::super::testkit::{FAULT, Record};
    use super::{Detector, detectors};
    use crate::record::{Body, Event, SocketReport};

    fn found(cause: &str, keepalive: bool) -> Detector {
        let mut events = Record::loss().events();
        let last = events.last().map_or(0, |event| event.seq);
        let probing = Probing {
            idle_us: 2_000_000,
            interval_us: 1_000_000,
            count: 3,
        };
        let report = SocketReport {
            cause: cause.into(),
            fault: None,
            since_us: FAULT,
            node: "edge-1".into(),
            peer: "gpu-2".into(),
            count: 4,
            watch: Watch {
                keepalive: keepalive.then_some(probing),
                user_timeout_us: None,
            },
        };
        events.push(Event {
            seq: last + 1,
            t_us: FAULT,
            source: "engine".into(),
            body: Body::Sockets(report),
        });
        let mut found = detectors(&RunFacts::of(events));
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn keepalive_bounds_a_silence() {
        let found = found("power cut", true);
        assert_eq!(found.bound_us, Some(5_000_000));
        assert_eq!((found.sockets, &*found.by), (4, "keepalive 2 s + 3 × 1 s"));
    }

    #[test]
    fn without_keepalive_there_is_no_bound() {
        let found = found("power cut", false);
        assert_eq!((found.bound_us, &*found.by), (None, "no keepalive"));
    }

    #[test]
    fn a_hung_machine_answers_probes() {
        let found = found("hang", true);
        assert_eq!(found.bound_us, None);
        assert!(
            found.by.ends_with("which a hung machine answers"),
            "{}",
            found.by
        );
    }
}
