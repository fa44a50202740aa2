//! The same table, the same services, in containers.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::world::conformance::{Row, TABLE, row};

use super::site::{Site, trial};
use crate::impatience;
use crate::table::{NAMES, judged, name, stage};

pub(crate) fn trials() -> Vec<Trial> {
    TABLE
        .iter()
        .map(|row| trial(&name("docker", row), move || docker(row)))
        .collect()
}

async fn docker(of: &Row) -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    let stage = stage(impatience::CLIENT);
    let cells = row(&*site.world, &mut site.events, &stage, of).await?;
    site.close().await?;
    judged(of, &cells)
}
