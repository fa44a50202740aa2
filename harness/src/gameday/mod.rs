//! A run in front of people: a live page, hold points, a stop for everybody.

mod blind;
mod desk;
mod form;
mod hub;
mod page;
mod roles;
mod routes;
mod serve;
mod stream;

pub use desk::{Desk, DeskParts, Told};
pub use hub::Hub;
pub use roles::{Role, Tokens};
pub use routes::routes;
pub use serve::{Front, open};

#[cfg(test)]
mod tests;
