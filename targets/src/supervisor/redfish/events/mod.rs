//! Events: what happened, who wants to hear of it, and how they do.

mod deliver;
mod differ;
mod filter;
mod log;
mod service;
mod stream;
mod subscription;
mod watch;

pub(super) use deliver::deliver;
pub(super) use filter::Filter;
pub(super) use log::{Event, Log};
pub(super) use service::{create, event_service, subscription_at, test_event};
pub(super) use stream::{Held, stream};
pub(super) use subscription::{Receiver, Subscription};
pub(super) use watch::watch;
