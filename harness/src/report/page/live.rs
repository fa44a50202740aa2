//! What a page of a run that goes on takes from the report.

use super::components::COMPONENTS;
use super::site::{nominal, parts};
use super::write::STYLE;
use crate::plan::Plan;

const OWN_STYLE: &str = include_str!("assets/live/live.css");

/// What the live page has beside the report's components.
const SCRIPTS: [&str; 2] = [
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
        COMPONENTS.concat() + &SCRIPTS.concat()
    }

    /// The site of a plan, as the diagram takes it.
    pub(crate) fn site(&self, plan: &Plan) -> String {
        let site = serde_json::json!({"parts": parts(plan), "nominal": nominal(plan)});
        site.to_string()
    }
}
