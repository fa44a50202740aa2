//! Doing it: one run of one plan in one world.

mod bounds;
mod cards;
mod crash_loop;
mod desk;
mod doorman;
mod ears;
mod error;
mod hand;
mod health;
mod held;
mod injector;
mod instruments;
mod meters;
mod nodes;
mod podium;
mod power;
mod readiness;
mod recorder;
mod rehearse;
mod run;
mod sampler;
mod services;
mod sockets;
mod switches;
mod timeline;
mod triggers;

pub use bounds::longest;
pub use doorman::{DoormanConfig, run_doorman};
pub use error::EngineError;
pub(crate) use error::way_out;
pub use podium::{Answer, Armed, Manual, Podium, PodiumRules, Refused, Waiting, Who};
pub use recorder::Recorder;
pub use run::{RunRequest, run};
