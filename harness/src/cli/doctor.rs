//! `ridethrough doctor`

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize;

use ridethrough_targets::world::Capability;
use ridethrough_targets::world::embedded::capabilities;

use super::exit::Exit;

/// Tells what this machine can do. It is no failure to lack something.
pub(super) fn doctor(json: bool, color: bool) -> Exit {
    let mut found = vec![virtual_world()];
    found.extend(capabilities());
    if json {
        println!(
            "{}",
            serde_json::to_string_pretty(&found).unwrap_or_default()
        );
    } else {
        print!("{}", text(&found, color));
    }
    Exit::Passed
}

/// What every machine has.
fn virtual_world() -> Capability {
    Capability {
        name: "virtual world",
        found: true,
        detail: "in process, on any machine".into(),
        needed_for: "`--world virtual`",
        remedy: String::new(),
    }
}

fn text(found: &[Capability], color: bool) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(100);
    for capability in found {
        let mark = match (capability.found, color) {
            (true, true) => "✓".green().to_string(),
            (false, true) => "✗".red().to_string(),
            (true, false) => "✓".to_string(),
            (false, false) => "✗".to_string(),
        };
        let mut what = format!("{}\nfor {}", capability.detail, capability.needed_for);
        if !capability.found {
            let _ = write!(what, "\nto get it: {}", capability.remedy);
        }
        table.add_row([mark, capability.name.to_string(), what]);
    }
    format!("{table}\n")
}
