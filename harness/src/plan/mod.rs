//! What will happen: a playbook with every name and time resolved and checked.

mod address;
mod attach;
mod build;
mod cards;
mod check;
mod common_mode;
mod doors;
mod faults;
mod foreign;
mod infrastructure;
mod machines;
mod model;
mod resolved;
mod same;
mod seed;
mod site_file;
mod stand_in;
mod text;
mod text_network;
mod text_power;
mod text_storage;
mod text_telemetry;
mod time;
mod wiring;

pub use attach::attached;
pub use build::{plan, plan_file, plan_file_in, plan_source};
pub use doors::Door;
pub use foreign::{Needed, needed};
pub use model::{
    NodeRole, Occasion, Plan, PlannedAssertion, PlannedFault, PlannedNode, PlannedPhase,
    PlannedSwitch, Reach,
};
pub use site_file::site_file;
pub use text::{assertion_name, fault_kind_name, fault_size, fault_target, sentence};

pub(crate) use doors::{Look, Way, looks};
pub(crate) use machines::draws;
pub(crate) use text_power::curve as curve_name;

#[cfg(test)]
mod tests;
