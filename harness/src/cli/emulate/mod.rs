//! `ridethrough emulate`: a site by itself, on the protocols of its devices.

mod args;
mod desk;
mod devices;
mod diagram;
mod drivers;
mod fronts;
mod page;
mod run;
mod screen;
mod story;
mod timeline;
mod words;

pub(super) use args::{EXAMPLES, EmulateArgs};
pub(super) use run::emulate;
