//! How it breaks, how that is proved, how it is put back.
#![forbid(unsafe_code)]

pub mod catalogue;
