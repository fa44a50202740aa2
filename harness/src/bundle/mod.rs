//! A run folder as one file that shows whether a byte of it was changed.

mod archive;
mod chain;
mod error;
mod key;
mod manifest;
mod verify;

pub use archive::write_bundle;
pub(crate) use chain::hex;
pub use error::BundleError;
pub use key::{Key, generate};
pub use manifest::{Manifest, Sealed};
pub use verify::{Checked, verify};

#[cfg(test)]
mod tests;
