//! Single components that every cord of a rack hangs on, in words.

use ridethrough_targets::plant::{Site, common_modes};

/// What a reader of the plan should know: `rack r1: losing grid drops both
/// cords`.
pub(super) fn notes(site: &Site) -> Vec<String> {
    let modes = common_modes(site);
    let note = |(rack, by): &(String, String)| {
        let cords = cords(site, rack);
        format!("rack {rack}: losing {by} drops {cords}")
    };
    modes.iter().map(note).collect()
}

/// How a sentence calls all the cords of a rack.
pub(super) fn cords(site: &Site, rack: &str) -> &'static str {
    match site.racks.get(rack).map_or(0, |rack| rack.cords.len()) {
        0 | 1 => "its cord",
        2 => "both cords",
        _ => "every cord",
    }
}
