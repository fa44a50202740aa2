//! What was seen, held against the table.

use crate::clock::Micros;

use super::run::{Seen, Stage};
use super::service::Sighting;
use super::table::{Cell, Column, End, Expect, Fault, Row};

/// Bytes that were under way may still be read for this long.
const UNDER_WAY_US: u64 = 200_000;
/// An attempt counts as "at once" if it begins this soon.
const AT_ONCE_US: u64 = 700_000;
/// An attempt counts as "later" if it begins this late.
const LATER_US: u64 = 3_000_000;
/// Attempts count only if there was this much time left to see their end.
const LEFT_US: u64 = 4_000_000;

/// Every listed cell of a row.
pub(super) fn cells(seen: &Seen, stage: &Stage, row: &Row) -> Vec<Cell> {
    let judged = row.cells.iter().map(|(column, expected)| {
        let (observed, holds) = match column {
            Column::ConnectAtOnce => {
                let from = seen.effective_us;
                let window = (from, from + AT_ONCE_US);
                attempts(seen, &stage.client.0, window, *expected)
            }
            Column::ConnectLater => {
                let from = match row.fault {
                    Fault::Reboot => seen.settled_us + AT_ONCE_US,
                    _ => seen.effective_us + LATER_US,
                };
                let window = (from, from + AT_ONCE_US);
                attempts(seen, &stage.late.0, window, *expected)
            }
            _ => stream(seen, &stage.client.0, *column, *expected),
        };
        Cell {
            column: *column,
            expected: *expected,
            observed,
            holds,
        }
    });
    judged.collect()
}

fn rows<'a>(seen: &'a Seen, node: &str) -> impl Iterator<Item = &'a Sighting> {
    seen.sightings.get(node).into_iter().flatten()
}

fn stream(seen: &Seen, node: &str, column: Column, expected: Expect) -> (String, bool) {
    for row in rows(seen, node) {
        match row {
            Sighting::Ended {
                column: of,
                how,
                at_us,
            } if *of == column => {
                let after_us = at_us.saturating_sub(seen.begun_us);
                let text = format!("{how:?} after {} ms", after_us / 1000);
                return (text, fits(expected, *how, after_us));
            }
            Sighting::Still {
                column: of,
                last_us,
            } if *of == column => {
                // A writer goes on filling its buffer; a reader must hear nothing.
                let reads = matches!(column, Column::Reader | Column::ReaderKeepalive);
                let late_us = last_us.saturating_sub(seen.effective_us);
                let quiet = !reads || late_us < UNDER_WAY_US;
                let text = if quiet {
                    "silence".to_string()
                } else {
                    format!("bytes {} ms after the fault", late_us / 1000)
                };
                return (text, quiet && expected == Expect::Silence);
            }
            _ => {}
        }
    }
    ("no report".to_string(), false)
}

/// All attempts that begin in a window must come to what is expected.
fn attempts(
    seen: &Seen,
    node: &str,
    (from_us, to_us): (Micros, Micros),
    expected: Expect,
) -> (String, bool) {
    let mut words = Vec::new();
    let mut holds = true;
    for row in rows(seen, node) {
        let Sighting::Attempt { start_us, end } = row else {
            continue;
        };
        if *start_us < from_us || to_us <= *start_us {
            continue;
        }
        match end {
            Some((how, end_us)) => {
                let took_us = end_us.saturating_sub(*start_us);
                words.push(format!("{how:?} after {} ms", took_us / 1000));
                // Silence is asked for as long as there was time to look.
                let silent = expected == Expect::Silence && LEFT_US <= took_us;
                holds &= silent || fits(expected, *how, took_us);
            }
            None => {
                words.push("hangs".to_string());
                holds &= expected == Expect::Silence;
            }
        }
    }
    if words.is_empty() {
        return ("no attempt".to_string(), false);
    }
    (words.join(", "), holds)
}

fn fits(expected: Expect, how: End, after_us: u64) -> bool {
    match expected {
        Expect::Silence => false,
        Expect::Ends {
            how: right,
            from_ms,
            to_ms,
        } => right.contains(&how) && from_ms * 1000 <= after_us && after_us <= to_ms * 1000,
    }
}

#[cfg(test)]
mod tests;
