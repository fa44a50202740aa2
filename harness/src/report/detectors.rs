//! Who could notice a silence, for the reports.

use comfy_table::{Cell, CellAlignment};
use serde::{Deserialize, Serialize};

use super::tables::{lines, plain};
use crate::judge::{Detector, RunFacts, detectors, show_time};

/// Connections of one machine to one that fell silent: what follows from their sockets,
/// beside what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorSummary {
    /// `power cut`, or the kind of the fault.
    pub cause: String,
    /// The machine that is left.
    pub node: String,
    /// The machine that fell silent.
    pub peer: String,
    /// How many connections.
    pub sockets: u32,
    /// How soon its kernel alone would give them up; `null`: never.
    pub bound_ms: Option<f64>,
    /// What that follows from.
    pub by: String,
    /// How long after that it was first seen to notice, by whatever means; `null`: it
    /// was not seen to.
    pub noticed_ms: Option<f64>,
}

impl From<Detector> for DetectorSummary {
    fn from(found: Detector) -> Self {
        let ms = |us: u64| us as f64 / 1e3;
        Self {
            cause: found.cause,
            node: found.node,
            peer: found.peer,
            sockets: found.sockets,
            bound_ms: found.bound_us.map(ms),
            by: found.by,
            noticed_ms: found.noticed_us.map(ms),
        }
    }
}

/// All of a run.
pub(super) fn found(facts: &RunFacts) -> Vec<DetectorSummary> {
    detectors(facts).into_iter().map(Into::into).collect()
}

/// A table of them.
pub(super) fn table(all: &[DetectorSummary]) -> Vec<String> {
    let mut table = plain(&[
        "silence of",
        "seen from",
        "sockets",
        "kernel alone",
        "noticed",
    ]);
    let time = |ms: f64| show_time((ms * 1e3) as u64);
    for one in all {
        let bound = one.bound_ms.map_or("never".into(), time);
        let noticed = one.noticed_ms.map_or("–".into(), time);
        table.add_row(vec![
            Cell::new(format!("{} ({})", one.peer, one.cause)),
            Cell::new(&one.node),
            Cell::new(one.sockets).set_alignment(CellAlignment::Right),
            Cell::new(format!("{bound} ({})", one.by)),
            Cell::new(noticed).set_alignment(CellAlignment::Right),
        ]);
    }
    lines(&table)
}

#[cfg(test)]
mod tests {
    use super::{DetectorSummary, table};

    #[test]
    fn what_follows_stands_beside_what_was_measured() {
        let one = |bound_ms, by: &str, noticed_ms| DetectorSummary {
            cause: "power cut".into(),
            node: "edge-1".into(),
            peer: "gpu-2".into(),
            sockets: 4,
            bound_ms,
            by: by.into(),
            noticed_ms,
        };
        let all = [
            one(Some(5_000.0), "keepalive 2 s + 3 × 1 s", Some(1_012.4)),
            one(None, "no keepalive", None),
        ];
        insta::assert_snapshot!(table(&all).join("\n"));
    }
}
