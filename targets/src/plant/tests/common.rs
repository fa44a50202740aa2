//! What both feeds of a rack hang on.

use super::support::*;
use crate::plant::common_modes;

fn found(yaml: &str) -> Vec<String> {
    let modes = common_modes(&site(yaml));
    modes
        .iter()
        .map(|(rack, by)| format!("{rack}: {by}"))
        .collect()
}

#[test]
fn two_feeds_have_nothing_in_common() {
    assert!(found(TWO_FEEDS).is_empty());
    // One grid behind two UPSs: their batteries carry it.
    let one_grid = TWO_FEEDS.replace("from: grid-b", "from: grid-a");
    assert!(found(&one_grid).is_empty());
    // An open battery carries nothing, but the other one does.
    let open = one_grid.replacen("{energy: 1kWh}", "{energy: 1kWh, condition: open}", 1);
    assert!(found(&open).is_empty());
    let open = one_grid.replace("{energy: 1kWh}", "{energy: 1kWh, condition: open}");
    assert_eq!(found(&open), ["dual: grid-a"]);
}

#[test]
fn what_is_shared_is_found() {
    let yaml = TWO_FEEDS.replace("pdu-b: {from: ups-b", "pdu-b: {from: ups-a");
    assert_eq!(found(&yaml), ["dual: ups-a"]);
    let yaml = TWO_FEEDS.replace("[pdu-a, pdu-b]", "[pdu-a, pdu-a]");
    assert_eq!(found(&yaml), ["dual: ups-a", "dual: pdu-a"]);
}

#[test]
fn a_switch_helps_and_a_generator_comes_too_late() {
    let switched = |from: &str| {
        format!(
            "
name: switched
utilities: {{grid-a: {{}}, grid-b: {{}}}}
generators: {{gen-1: {{rating: 10kW, backs: grid-a}}}}
transfers: {{ats-1: {{from: {from}}}}}
pdus:
  pdu-a: {{from: ats-1, breaker: {{rating: 63A}}}}
  pdu-b: {{from: grid-a, breaker: {{rating: 63A}}}}
racks: {{r1: {{cords: [pdu-a, pdu-b]}}}}
"
        )
    };
    assert!(found(&switched("[grid-a, grid-b]")).is_empty());
    assert_eq!(found(&switched("[grid-a, gen-1]")), ["r1: grid-a"]);
}
