//! Addresses on the fabric, 10.77.0.0/16: the same names, the same addresses.

use std::net::Ipv4Addr;

/// The clients' node.
pub(crate) const CLIENTS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 10);
/// The supervisor's node.
pub(crate) const SUPERVISOR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 11);
/// The monitor's node.
pub(crate) const MONITOR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 12);
/// The most machines, and the most cards, that have an address.
pub(crate) const MOST: usize = 4_000;

/// A machine of the stack, by its place in the list: from 10.77.1.1.
pub(crate) fn machine(index: usize) -> Ipv4Addr {
    block(1, index)
}

/// A card, by its place in the list: from 10.77.128.1.
pub(crate) fn card(index: usize) -> Ipv4Addr {
    block(128, index)
}

/// 250 addresses of each /24, from .1.
fn block(first: u8, index: usize) -> Ipv4Addr {
    let third = (index / 250).min(100) as u8;
    let fourth = (index % 250) as u8 + 1;
    Ipv4Addr::new(10, 77, first + third, fourth)
}
