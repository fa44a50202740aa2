//! HTTP as the power side serves it: bounds, TLS, bodies, event streams.

mod body;
mod fetch;
mod patient;
mod serve;
mod stream;
mod tls;

pub(super) use body::{BodyFault, read_body};
pub(super) use fetch::fetch;
pub use serve::WebLimits;
pub(super) use serve::serve;
pub(super) use stream::{EventStream, Seats};
pub(super) use tls::acceptor;
