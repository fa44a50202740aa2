//! What can be undone, and the lines of a journal.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A change of the host, as what takes it back. Carrying one out twice is the
/// same as once, and one whose change was never made does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Undo {
    /// A control group was made. Its processes go back to where they came from,
    /// and it is removed.
    Cgroup {
        /// The group; its name begins with [`OWNER`].
        path: PathBuf,
        /// Where its processes came from.
        home: PathBuf,
    },
    /// Containers were made. Those of the run are removed, by their label.
    Containers {
        /// Where the engine listens.
        engine: PathBuf,
        /// The run, which is the label's value.
        run: String,
    },
    /// A cable of somebody else's container was pulled out of a bridge. It is
    /// plugged in again, as it was.
    Cable {
        /// The host's end of it.
        device: String,
        /// The bridge.
        bridge: String,
        /// Whether frames may leave by the port that they came by.
        hairpin: bool,
        /// Which of the host's addresses are told on it (`arp_ignore`).
        arp_ignore: u8,
    },
    /// Somebody else's container was killed. It is started again.
    Killed {
        /// Where the engine listens.
        engine: PathBuf,
        /// The container.
        container: String,
    },
    /// Somebody else's container was paused. It goes on.
    Paused {
        /// Where the engine listens.
        engine: PathBuf,
        /// The container.
        container: String,
    },
    /// Files were made. The folder is removed with all that is in it.
    Folder {
        /// The folder; its name begins with [`OWNER`].
        path: PathBuf,
    },
}

/// What the name of everything begins with that a run makes outside of its run
/// folder.
pub(super) const OWNER: &str = "ridethrough-";

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The change that this takes back may have been made.
    Do {
        /// Names it within the journal.
        ticket: u64,
        /// What takes it back.
        undo: Undo,
    },
    /// It has been taken back.
    Done {
        /// Which.
        ticket: u64,
    },
}

/// What has yet to be taken back, by ticket. A last line that breaks off was
/// never acknowledged, so its change was never made.
///
/// # Errors
/// When a line before the last is no line of a journal: nothing can then be
/// known of what the rest says.
pub(super) fn outstanding(journal: impl Read) -> std::io::Result<Vec<(u64, Undo)>> {
    let mut left: Vec<(u64, Undo)> = Vec::new();
    let mut broken: Option<String> = None;
    for line in BufReader::new(journal).lines() {
        let line = line?;
        if let Some(broken) = broken {
            let text = format!("not a line of a journal: {broken}");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text));
        }
        match serde_json::from_str(&line) {
            Ok(Line::Do { ticket, undo }) => left.push((ticket, undo)),
            Ok(Line::Done { ticket }) => left.retain(|(t, _)| *t != ticket),
            Err(_) => broken = Some(line),
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cgroup(n: u64) -> Undo {
        Undo::Cgroup {
            path: format!("/sys/fs/cgroup/{OWNER}{n}").into(),
            home: "/sys/fs/cgroup".into(),
        }
    }

    fn text(lines: &[Line]) -> String {
        let lines = lines
            .iter()
            .map(|l| serde_json::to_string(l).unwrap() + "\n");
        lines.collect()
    }

    proptest! {
        /// Wherever a journal breaks off, what was acknowledged before is known,
        /// and nothing else is.
        #[test]
        fn a_journal_that_breaks_off_tells_what_it_had_acknowledged(
            undone in proptest::collection::vec(any::<bool>(), 1..8),
            cut in 0.0..1.0f64,
        ) {
            let mut lines = Vec::new();
            for (n, undone) in undone.iter().enumerate() {
                let ticket = n as u64;
                lines.push(Line::Do { ticket, undo: cgroup(ticket) });
                if *undone {
                    lines.push(Line::Done { ticket });
                }
            }
            let whole = text(&lines);
            let at = (whole.len() as f64 * cut) as usize;
            let acknowledged = whole[..at].matches('\n').count();
            // A last line that lacks only its end is as good as acknowledged.
            let rest = whole[..at].rsplit('\n').next().unwrap_or_default();
            let known = acknowledged + usize::from(serde_json::from_str::<Line>(rest).is_ok());
            let expected = outstanding(text(&lines[..known]).as_bytes()).unwrap();
            prop_assert_eq!(outstanding(&whole.as_bytes()[..at]).unwrap(), expected);
        }
    }

    #[test]
    fn a_journal_with_a_broken_middle_is_refused() {
        let good = text(&[Line::Done { ticket: 1 }]);
        let error = outstanding(format!("{{\"do\": \n{good}").as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("not a line of a journal"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_way_of_undoing_is_refused_rather_than_passed_over() {
        let line = "{\"do\":{\"ticket\":1,\"undo\":{\"format\":{\"path\":\"/\"}}}}\n";
        assert!(outstanding(format!("{line}{line}").as_bytes()).is_err());
    }
}
