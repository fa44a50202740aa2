//! Whether a site can be.

mod check;
mod links;
mod parts;
mod sources;
mod systems;

pub use check::SiteError;
pub(super) use check::problems;
