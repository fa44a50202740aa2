//! Volumes, journals, their writers, and faults of them.

use ridethrough_targets::world::Backing;

use super::*;

/// The good playbook with a journal and a writer to it; `volume` is YAML.
fn with_journal(volume: &str, faults: &str) -> String {
    let text = with_faults(faults);
    let stack = "stack:
  name: with a journal
  nodes: {gw: {rack: r1}, gpu-1: {rack: r1}, gpu-2: {rack: r2}, store: {rack: r2}}
  services:
    gateway: {on: [gw], gateway: {}}
    replica: {on: [gpu-1, gpu-2], replica: {}}
    journal: {on: [store], journal: {}VOLUME}
writers: [{name: ledger, service: journal, rate: 10/s}]
";
    let stack = stack.replace("VOLUME", volume);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|l| l.starts_with("stack:"));
    let at = at.expect("a stack");
    let mut lines: Vec<String> = lines.iter().map(|l| (*l).to_string()).collect();
    lines[at] = stack;
    lines.join("\n")
}

fn backing(plan: &Plan) -> Option<Backing> {
    let store = plan.node("store")?;
    store.services.first()?.volume.map(|v| v.backing)
}

const CUT: &str = "  - {inject: {power_loss: {node: store}}, at: 1s, for: 1s}";
const SLOW: &str = "  - {inject: {disk_slow: {target: {node: store}, by: 5ms}}, at: 1s, for: 1s}";
const FULL: &str = "  - {inject: {disk_full: {target: {rack: r2}}}, at: 1s, for: 1s}";

#[test]
fn a_fault_that_a_real_file_system_cannot_have_chooses_the_backing() {
    let of = |faults| backing(&planned(&with_journal(", volume: {size: 64MiB}", faults)));
    assert_eq!(of(CUT), Some(Backing::Auto));
    assert_eq!(of(FULL), Some(Backing::Auto));
    assert_eq!(of(SLOW), Some(Backing::Fuse));
    let plan = planned(&with_journal(", volume: {size: 64MiB}", FULL));
    let hit = vec![("store".to_string(), "journal".to_string())];
    assert_eq!(plan.faults[0].reach.volumes, hit);
    assert_eq!(plan.clients(), plan.playbook.load.len() + 1);
}

#[test]
fn faults_of_no_volume_and_of_the_wrong_kind_are_refused() {
    let none = shown(&with_journal(
        ", volume: {size: 64MiB}",
        &SLOW.replace("store", "gpu-1"),
    ));
    assert!(none.contains("node gpu-1 has no volume"), "{none}");
    let real = shown(&with_journal(
        ", volume: {size: 64MiB, backing: ext4}",
        SLOW,
    ));
    assert!(
        real.contains("`disk_slow`: a real file system does not fail to order"),
        "{real}"
    );
    planned(&with_journal(
        ", volume: {size: 64MiB, backing: ext4}",
        FULL,
    ));
}

#[test]
fn volumes_and_writers_that_cannot_be() {
    let bare = shown(&with_journal("", CUT));
    assert!(
        bare.contains("journal `journal` has nothing to write to"),
        "{bare}"
    );
    let small = shown(&with_journal(", volume: {size: 1MiB}", CUT));
    assert!(
        small.contains("the volume of `journal` holds 1MiB"),
        "{small}"
    );
    let torn = shown(&with_journal(", volume: {backing: ext4, torn: true}", CUT));
    assert!(
        torn.contains("the volume of `journal` cannot tear"),
        "{torn}"
    );
    let whom = with_journal(", volume: {}", CUT).replace("service: journal,", "service: replica,");
    let whom = shown(&whom);
    assert!(whom.contains("service `replica` is no journal"), "{whom}");
    let idle = with_journal(", volume: {}", CUT).replace("rate: 10/s}]", "rate: 0/s}]");
    assert!(
        shown(&idle).contains("writer `ledger` writes"),
        "{}",
        shown(&idle)
    );
}

#[test]
fn a_promise_needs_somebody_who_writes() {
    let text = with_journal(", volume: {}", CUT);
    let promise =
        |text: &str| text.replace("assert:", "assert:\n  - durability: {service: journal}");
    planned(&promise(&text));
    let nobody = text.replace(
        "writers: [{name: ledger, service: journal, rate: 10/s}]",
        "",
    );
    let nobody = shown(&promise(&nobody));
    assert!(nobody.contains("nobody writes to `journal`"), "{nobody}");
}

#[test]
fn a_virtual_world_has_no_file_system_of_a_kernel() {
    let volume = ", volume: {size: 64MiB, backing: ext4}";
    let text = with_journal(volume, CUT).replace("name: utility outage", "name: x\nworld: virtual");
    let told = shown(&text);
    assert!(told.contains("`journal` has an ext4 volume"), "{told}");
    assert!(told.contains("--world embedded"), "{told}");
    assert!(!shown(&text.replace("backing: ext4", "backing: auto")).contains("ext4 volume"));
}
