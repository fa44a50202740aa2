//! Reference pages, made from the types that playbooks are read into and from the
//! playbooks themselves, so that they cannot say anything else than the program does.

mod entry;
mod pages;
mod playbooks;
mod types;

pub use pages::{Page, pages};
