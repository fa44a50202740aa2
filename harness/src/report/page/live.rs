//! What a page of a run that goes on takes from the report.

use super::site::{nominal, parts};
use super::write::STYLE;
use crate::plan::Plan;

const OWN_STYLE: &str = include_str!("assets/live/live.css");

/// The report's components, each after what it needs, and the page over them.
const SCRIPTS: [&str; 16] = [
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
    include_str!("assets/live/story.js"),
    include_str!("assets/live/live.js"),
];

/// The parts of a live page.
pub(crate) struct Live;

/// The parts of a live page.
pub(crate) fn live() -> Live {
    Live
}

impl Live {
    /// What stands in the style element.
    pub(crate) fn style(&self) -> String {
        format!("{STYLE}{OWN_STYLE}")
    }

    /// What stands in the script element.
    pub(crate) fn scripts(&self) -> String {
        SCRIPTS.concat()
    }

    /// The site of a plan, as the diagram takes it.
    pub(crate) fn site(&self, plan: &Plan) -> String {
        let site = serde_json::json!({"parts": parts(plan), "nominal": nominal(plan)});
        site.to_string()
    }
}
