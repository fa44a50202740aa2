use std::net::Ipv4Addr;

use super::*;
use crate::world::conformance::TABLE;

fn stage() -> Stage {
    let place = |name: &str| (name.to_string(), Ipv4Addr::LOCALHOST);
    Stage {
        server: place("server"),
        client: place("client"),
        late: place("late"),
        late_client: "client".into(),
    }
}

/// A fault from 1.0 s to 1.1 s, and what two clients say.
fn seen(client: Vec<Sighting>, late: Vec<Sighting>) -> Seen {
    Seen {
        begun_us: 1_000_000,
        effective_us: 1_100_000,
        settled_us: 1_100_000,
        sightings: [("client", client), ("late", late)]
            .map(|(name, rows)| (name.to_string(), rows))
            .into_iter()
            .collect(),
    }
}

fn cell(row: &str, column: Column, client: Vec<Sighting>, late: Vec<Sighting>) -> (String, bool) {
    let row = TABLE.iter().find(|found| found.name == row).unwrap();
    let cells = cells(&seen(client, late), &stage(), row);
    let cell = cells.into_iter().find(|cell| cell.column == column);
    let cell = cell.unwrap();
    (cell.observed, cell.holds)
}

fn attempt(start_us: Micros, end: Option<(End, Micros)>) -> Sighting {
    Sighting::Attempt { start_us, end }
}

#[test]
fn a_reader_must_hear_nothing_a_writer_may_go_on() {
    let still = |column, last_us| vec![Sighting::Still { column, last_us }];
    let reader = |last_us| {
        let rows = still(Column::Reader, last_us);
        cell("power_cut", Column::Reader, rows, vec![])
    };
    assert_eq!(reader(1_000_000), ("silence".into(), true));
    let late = ("bytes 400 ms after the fault".into(), false);
    assert_eq!(reader(1_500_000), late);
    let rows = still(Column::Writer, 7_000_000);
    let writer = cell("power_cut", Column::Writer, rows, vec![]);
    assert_eq!(writer, ("silence".into(), true));
}

#[test]
fn an_end_must_be_the_right_one_in_time() {
    let keepalive = |how, at_us| {
        let column = Column::ReaderKeepalive;
        let rows = vec![Sighting::Ended { column, how, at_us }];
        cell("power_cut", column, rows, vec![]).1
    };
    assert!(keepalive(End::TimedOut, 5_000_000));
    assert!(!keepalive(End::TimedOut, 2_000_000));
    assert!(!keepalive(End::TimedOut, 9_000_000));
    assert!(!keepalive(End::Reset, 5_000_000));
    let nothing = cell("power_cut", Column::ReaderKeepalive, vec![], vec![]);
    assert_eq!(nothing, ("no report".into(), false));
}

#[test]
fn attempts_count_by_when_they_begin() {
    let at_once = |rows| cell("power_cut", Column::ConnectAtOnce, rows, vec![]);
    assert_eq!(at_once(vec![]), ("no attempt".into(), false));
    // One that began before the fault was complete proves nothing.
    let early = attempt(1_050_000, None);
    assert_eq!(at_once(vec![early]), ("no attempt".into(), false));
    assert!(at_once(vec![early, attempt(1_200_000, None)]).1);
    let slow = attempt(1_200_000, Some((End::Unreachable, 6_200_000)));
    assert!(at_once(vec![slow]).1);
    let fast = attempt(1_200_000, Some((End::Unreachable, 1_300_000)));
    assert!(!at_once(vec![fast]).1);
}

#[test]
fn every_attempt_of_a_window_must_fit() {
    let later = |rows| cell("power_cut", Column::ConnectLater, vec![], rows).1;
    let right = attempt(4_200_000, Some((End::Unreachable, 4_900_000)));
    let wrong = attempt(4_450_000, Some((End::Refused, 4_451_000)));
    assert!(later(vec![right]));
    assert!(!later(vec![right, wrong]));
    assert!(!later(vec![attempt(4_200_000, None)]));
}
