use crate::world::{Direction, Impairment};

use super::*;

fn switch() -> Switch {
    let switch = Switch::start(SwitchConfig {
        seed: 1,
        clock: Clock::start(),
        pcap: None,
        offload: true,
    });
    let switch = switch.expect("a switch needs no privilege");
    switch.add_port("a", [2, 0, 0, 0, 0, 1], Ipv4Addr::LOCALHOST);
    switch
}

#[test]
fn the_handle_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&switch());
}

#[test]
fn a_port_is_dark_at_first() {
    let switch = switch();
    assert_eq!(switch.counters("a"), Some(PortCounters::default()));
    assert_eq!(switch.counters("b"), None);
    let first = switch.darken(&["a".into(), "b".into()]);
    assert_eq!(first.len(), 1);
    assert_eq!(first, switch.darken(&["a".into()]), "dark once");
    switch.detach_all();
}

#[test]
fn only_a_device_on_a_known_port_is_lit() {
    let switch = switch();
    let no_device = || OwnedFd::from(tempfile::tempfile().expect("a temporary file"));
    let unknown = switch.light("b", no_device()).map_err(|error| error.kind());
    assert_eq!(unknown, Err(io::ErrorKind::NotFound));
    assert!(switch.light("a", no_device()).is_err());
}

#[test]
fn rules_name_known_ports() {
    let switch = switch();
    let rule = |b: &str| LinkRule {
        a: vec!["a".into()],
        b: vec![b.into()],
        direction: Direction::Both,
        port: None,
        impairment: Impairment::Drop,
    };
    assert_eq!(switch.install(rule("b")), Err("b".to_string()));
    switch.add_port("b", [2, 0, 0, 0, 0, 2], Ipv4Addr::LOCALHOST);
    let id = switch.install(rule("b")).expect("both ports are known");
    switch.remove(id);
    switch.remove(id);
}

#[test]
fn a_capture_of_nothing_ends_with_the_switch() {
    let file = tempfile::tempfile().expect("a temporary file");
    let copy = file.try_clone().expect("a second descriptor");
    let switch = Switch::start(SwitchConfig {
        seed: 1,
        clock: Clock::start(),
        pcap: Some(copy),
        offload: true,
    });
    drop(switch.expect("a switch needs no privilege"));
    assert!(
        file.metadata().expect("an open file").len() >= 28,
        "the head is on disk"
    );
}
