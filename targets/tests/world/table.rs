//! The table of what peers see, row by row.

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::world::conformance::{Row, Stage, TABLE, row};
use ridethrough_targets::world::{ServiceSpec, World};

use crate::site::{Site, hosts, shell, trial};

pub(crate) fn trials() -> Vec<Trial> {
    TABLE
        .iter()
        .map(|row| trial(&format!("embedded::table::{}", row.name), move || play(row)))
        .collect()
}

const NAMES: [&str; 3] = ["server", "client", "late"];

/// Neighbour entries of the late client's kernel go stale in half a second and
/// fail after three unanswered requests, 200 ms apart.
const IMPATIENT: &str = "cd /proc/sys/net/ipv4/neigh/eth0 \
    && echo 500 > base_reachable_time_ms && echo 0 > delay_first_probe_time \
    && echo 200 > retrans_time_ms";

async fn play(of: &Row) -> Result<(), Failed> {
    let mut site = Site::open(&NAMES).await?;
    let place = |name: &str| (name.to_string(), hosts(&NAMES)[name]);
    let stage = Stage {
        server: place("server"),
        client: place("client"),
        late: place("late"),
        late_extra: vec![ServiceSpec {
            name: "impatience".into(),
            program: shell(IMPATIENT),
            seed: 0,
        }],
    };
    let cells = row(&site.world, &mut site.events, &stage, of).await?;
    site.world.close().await?;
    let mut text = String::new();
    for cell in &cells {
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
