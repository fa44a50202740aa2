//! Faults of volumes.

mod disk_full;
mod disk_slow;
mod io_error;
mod keeping;
mod volumes;

pub(crate) use disk_full::DiskFull;
pub(crate) use disk_slow::DiskSlow;
pub(crate) use io_error::IoError;
pub(crate) use keeping::Keeping;
