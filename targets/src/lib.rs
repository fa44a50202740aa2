//! What can be broken: the plant, the supervisor, the fabric, the worlds and
//! the reference serving stack.
//!
//! Nothing here knows of playbooks, faults or verdicts. Imports run one way:
//! `playbooks → harness → faults → targets`.
#![deny(unsafe_code)]

pub mod clock;
pub mod disk;
pub mod emulator;
pub mod exposition;
pub mod fabric;
pub mod net;
pub mod plant;
pub mod service;
pub mod serving;
pub mod supervisor;
pub mod telemetry;
pub mod template;
pub mod undo;
pub mod units;
pub mod world;
