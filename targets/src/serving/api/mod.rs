//! The OpenAI-compatible API: what is read, and what is written.

mod read;
mod request;
mod sse;
mod write;

pub(crate) use read::{ChunkReader, Said};
pub(crate) use request::{ApiKind, Generation};
pub(crate) use sse::{SseEvent, SseParser};
pub(crate) use write::{ChunkWriter, usage};
