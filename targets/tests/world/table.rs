//! The table of what peers see, row by row.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::World;
use ridethrough_targets::world::conformance::{CLIENT, Cell, Row, Stage, TABLE, row};
use ridethrough_targets::world::r#virtual::NeighbourTimes;

use crate::site::hosts;
use crate::virtual_site::{VirtualSite, virtual_trial};

pub(crate) fn trials() -> Vec<Trial> {
    TABLE
        .iter()
        .map(|row| virtual_trial(&name("virtual", row), move || simulated(row)))
        .collect()
}

pub(crate) fn name(world: &str, row: &Row) -> String {
    format!("{world}::table::{}", row.name)
}

pub(crate) const NAMES: [&str; 3] = ["server", "client", "late"];

async fn simulated(of: &Row) -> Result<(), Failed> {
    let impatient = NeighbourTimes {
        reachable: Span::from_millis(500),
        delay: Span::from_millis(0),
        retransmit: Span::from_millis(200),
    };
    let mut site = VirtualSite::open(&NAMES, [("late", impatient)])?;
    let cells = row(&*site.world, &mut site.events, &stage(CLIENT), of).await?;
    site.world.close().await?;
    judged(of, &cells)
}

pub(crate) fn stage(late_client: &str) -> Stage {
    let place = |name: &str| (name.to_string(), hosts(&NAMES)[name]);
    Stage {
        server: place("server"),
        client: place("client"),
        late: place("late"),
        late_client: late_client.into(),
    }
}

pub(crate) fn judged(of: &Row, cells: &[Cell]) -> Result<(), Failed> {
    let mut text = String::new();
    for cell in cells {
        let mark = if cell.holds { "ok " } else { "BAD" };
        let line = format!(
            "{mark} {:?}: {}; expected {:?}\n",
            cell.column, cell.observed, cell.expected
        );
        text.push_str(&line);
    }
    eprintln!("{}\n{text}", of.name);
    if cells.iter().all(|cell| cell.holds) {
        Ok(())
    } else {
        Err(format!("row {} does not hold:\n{text}", of.name).into())
    }
}
