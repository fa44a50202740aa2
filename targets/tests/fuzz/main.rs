//! The fuzzer's entry points, fed with its seeds and with what becomes of them
//! when bytes are changed at random: what a stable toolchain can do.
#![forbid(unsafe_code)]

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)]
mod entries;

use std::path::Path;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How often the seeds of one entry point are changed.
const CHANGED: usize = 1_000;

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let entries = std::fs::read_dir(folder.join(name)).expect("a folder of seeds");
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Another input, made of one or two of those that are there.
fn changed(rng: &mut ChaCha8Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => {
                let mut noise = vec![0; rng.random_range(1..64)];
                rng.fill_bytes(&mut noise);
                bytes.splice(at..at, noise);
            }
            _ => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                bytes.splice(at.., other[at.min(other.len())..].to_vec());
            }
        }
    }
    bytes
}

fn feed(name: &str, entry: fn(&[u8])) {
    let seeds = seeds(name);
    assert!(seeds.len() > 1, "no seeds for {name}");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    seeds.iter().for_each(|seed| entry(seed));
    for _ in 0..CHANGED {
        entry(&changed(&mut rng, &seeds));
    }
}

#[test]
fn lines_to_the_nut_agent() {
    feed("nut_server", entries::nut_server);
}

#[test]
fn answers_to_the_nut_client() {
    feed("nut_client", entries::nut_client);
}

#[test]
fn datagrams_to_the_snmp_agent() {
    feed("snmp_agent", entries::snmp_agent);
}

#[test]
fn frames_to_the_modbus_server() {
    feed("modbus_server", entries::modbus_server);
}

#[test]
fn requests_to_the_redfish_service() {
    feed("redfish_server", entries::redfish_server);
}

#[test]
fn requests_to_the_page_of_metrics() {
    feed("metrics_server", entries::metrics_server);
}
