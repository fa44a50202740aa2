use std::net::Ipv4Addr;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::clock::Clock;

use super::*;

fn config(hosts: &[[u8; 4]]) -> EmbeddedConfig {
    EmbeddedConfig {
        exe: PathBuf::new(),
        run_dir: PathBuf::new(),
        clock: Clock::start(),
        seed: 0,
        hosts: (0..)
            .zip(hosts)
            .map(|(index, ip)| (format!("n{index}"), Ipv4Addr::from(*ip)))
            .collect(),
        undo: None,
        pcap: false,
    }
}

#[test]
fn prefix_holds_all_hosts_and_no_more_than_it_must() {
    assert_eq!(config(&[]).prefix(), 24);
    assert_eq!(config(&[[10, 77, 0, 1], [10, 77, 0, 9]]).prefix(), 24);
    assert_eq!(config(&[[10, 77, 0, 1], [10, 77, 1, 1]]).prefix(), 23);
    assert_eq!(config(&[[10, 77, 0, 1], [10, 78, 0, 1]]).prefix(), 14);
    assert_eq!(config(&[[10, 0, 0, 1], [192, 168, 0, 1]]).prefix(), 0);
}

#[test]
fn hosts_file_names_everybody() {
    let text = config(&[[10, 77, 0, 1], [10, 77, 0, 2]]).hosts_text();
    insta::assert_snapshot!(text, @r"
    127.0.0.1 localhost
    10.77.0.1 n0
    10.77.0.2 n1
    ");
    assert_eq!(EmbeddedConfig::bare_hosts_text(), "127.0.0.1 localhost\n");
}

proptest! {
    #[test]
    fn every_host_is_in_the_prefix(hosts in prop::collection::vec(any::<[u8; 4]>(), 1..20)) {
        let prefix = u32::from(config(&hosts).prefix());
        let network = |ip: [u8; 4]| u64::from(u32::from_be_bytes(ip)) >> (32 - prefix);
        for host in &hosts {
            prop_assert_eq!(network(*host), network(hosts[0]));
        }
    }
}
