//! What can be done to a plant, and what it says of itself.

mod action;
mod change;
mod states;

pub use action::{GeneratorFault, NodeLoad, PlantAction, PowerTarget};
pub use change::{Change, PlantEvent};
pub use states::{
    BatteryState, BbuState, BessState, CoolingState, GeneratorState, HeatLevel, TransferState,
    UpsState,
};
