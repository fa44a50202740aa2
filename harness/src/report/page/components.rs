//! The scripts that the report and the live page are both made of.

/// Each after what it needs.
pub(super) const COMPONENTS: [&str; 14] = [
    include_str!("assets/errors.js"),
    include_str!("assets/unpack.js"),
    include_str!("assets/words.js"),
    include_str!("assets/rows.js"),
    include_str!("assets/bins.js"),
    include_str!("assets/events.js"),
    include_str!("assets/model.js"),
    include_str!("assets/paint.js"),
    include_str!("assets/axis.js"),
    include_str!("assets/tracks.js"),
    include_str!("assets/charts.js"),
    include_str!("assets/diagram.js"),
    include_str!("assets/lanes.js"),
    include_str!("assets/opened.js"),
];
