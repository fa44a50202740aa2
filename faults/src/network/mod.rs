//! Faults of the fabric, each witnessed by probe packets between the pairs that
//! it names.

mod burst_loss;
mod corrupt;
mod cut;
mod dns;
mod duplicate;
mod flap;
mod latency;
mod link;
mod loss;
mod mtu;
mod pairs;
mod rate;
mod reorder;
mod reset;
mod select;
mod share;

pub(crate) use cut::Cut;
pub(crate) use dns::Dns;
pub(crate) use select::on_link;
