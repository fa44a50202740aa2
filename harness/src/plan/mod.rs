//! What will happen: a playbook with every name and time resolved and checked.

mod model;

pub use model::{NodeRole, Plan, PlannedAssertion, PlannedFault, PlannedNode, PlannedPhase, Reach};
