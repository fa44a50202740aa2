//! The same table, the same services, on this machine.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::world::World;
use ridethrough_targets::world::conformance::{Row, TABLE, row};

use super::site::{Site, trial};
use crate::impatience;
use crate::table::{NAMES, judged, name, stage};

pub(crate) fn trials() -> Vec<Trial> {
    TABLE
        .iter()
        .map(|row| trial(&name("embedded", row), move || embedded(row)))
        .collect()
}

async fn embedded(of: &Row) -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    let stage = stage(impatience::CLIENT);
    let cells = row(&site.world, &mut site.events, &stage, of).await?;
    site.world.close().await?;
    judged(of, &cells)
}
