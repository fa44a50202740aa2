//! The switch with real TAP devices in real network namespaces.

mod capability;
mod capture;
mod cut;
mod damage;
mod links;
mod node;
mod traffic;

use libtest_mimic::{Arguments, Trial};

use traffic::Outcome;

type Case = (&'static str, fn() -> Outcome);

const DEVICES: &[Case] = &[
    (
        "tcp_arrives_whole_with_offload",
        links::tcp_arrives_whole_with_offload,
    ),
    (
        "tcp_arrives_whole_without_offload",
        links::tcp_arrives_whole_without_offload,
    ),
    (
        "drop_one_way_stops_one_way",
        links::drop_one_way_stops_one_way,
    ),
    ("delay_adds_up", links::delay_adds_up),
    ("delay_keeps_order", links::delay_keeps_order),
    ("loss_meets_its_share", links::loss_meets_its_share),
    ("loss_sees_single_packets", links::loss_sees_single_packets),
    ("rate_limits_a_stream", links::rate_limits_a_stream),
    (
        "a_damaged_packet_is_dropped_by_its_checksum",
        damage::a_damaged_packet_is_dropped_by_its_checksum,
    ),
    (
        "a_stream_survives_duplicates",
        damage::a_stream_survives_duplicates,
    ),
    (
        "a_stream_survives_reordering",
        damage::a_stream_survives_reordering,
    ),
    (
        "a_forged_reset_is_believed_at_both_ends",
        damage::a_forged_reset_is_believed_at_both_ends,
    ),
    (
        "a_black_hole_swallows_long_packets",
        damage::a_black_hole_swallows_long_packets,
    ),
    ("a_cut_is_silent", cut::a_cut_is_silent),
    ("a_cut_takes_what_is_held", cut::a_cut_takes_what_is_held),
    (
        "a_new_boot_resets_old_connections",
        cut::a_new_boot_resets_old_connections,
    ),
    (
        "a_dark_neighbour_becomes_unreachable",
        cut::a_dark_neighbour_becomes_unreachable,
    ),
    (
        "many_ports_go_dark_together",
        cut::many_ports_go_dark_together,
    ),
    (
        "the_last_handle_closes_devices",
        cut::the_last_handle_closes_devices,
    ),
];

const CAPTURE: &[Case] = &[("capture_opens_in_tshark", capture::capture_opens_in_tshark)];

pub(crate) fn main() {
    capability::become_root();
    let arguments = Arguments::from_args();
    let no_devices = capability::missing();
    let no_tshark = no_devices.clone().or_else(capability::missing_tshark);
    let mut trials = trials(DEVICES, no_devices.as_deref());
    trials.extend(self::trials(CAPTURE, no_tshark.as_deref()));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The tests; those that lack something are ignored and say so, except on a
/// build server, where they fail.
fn trials(cases: &[Case], missing: Option<&str>) -> Vec<Trial> {
    let strict = std::env::var_os("CI").is_some_and(|value| value == "true");
    let make = |(name, test): &Case| {
        let test = *test;
        match missing.map(str::to_string) {
            None => Trial::test(*name, move || test().map_err(Into::into)),
            Some(reason) if strict => Trial::test(*name, move || Err(reason.into())),
            Some(reason) => Trial::test(*name, || Ok(()))
                .with_kind(reason)
                .with_ignored_flag(true),
        }
    };
    cases.iter().map(make).collect()
}
