//! Faults of machines beyond their supply.

mod hang;

pub(crate) use hang::Hang;
