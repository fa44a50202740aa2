//! The same table, the same services, on this machine.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::world::conformance::{Row, TABLE, row};
use ridethrough_targets::world::{ServiceSpec, World};

use super::site::{Site, shell, trial};
use crate::table::{NAMES, judged, name, stage};

pub(crate) fn trials() -> Vec<Trial> {
    TABLE
        .iter()
        .map(|row| trial(&name("embedded", row), move || embedded(row)))
        .collect()
}

/// Neighbour entries of the late client's kernel go stale in half a second and
/// fail after three unanswered requests, 200 ms apart.
const IMPATIENT: &str = "cd /proc/sys/net/ipv4/neigh/eth0 \
    && echo 500 > base_reachable_time_ms && echo 0 > delay_first_probe_time \
    && echo 200 > retrans_time_ms";

async fn embedded(of: &Row) -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    let extra = vec![ServiceSpec {
        name: "impatience".into(),
        program: shell(IMPATIENT),
        seed: 0,
        volume: None,
    }];
    let cells = row(&site.world, &mut site.events, &stage(extra), of).await?;
    site.world.close().await?;
    judged(of, &cells)
}
