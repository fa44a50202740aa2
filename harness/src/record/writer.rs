//! Writing a record: one JSON document a line, in the order in which events are
//! said.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ridethrough_targets::clock::Micros;

use super::event::{Body, Event};

/// The writer of one record. Flushed at phase borders, so that a reader of a
/// run that goes on sees whole phases; on disk for good at the end.
#[derive(Debug)]
pub struct RecordWriter {
    file: BufWriter<File>,
    seq: u64,
}

impl RecordWriter {
    /// A new record; an old one at this path is replaced.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), seq: 0 })
    }

    /// Writes one event and returns it with its number.
    pub fn write(&mut self, t_us: Micros, source: &str, body: Body) -> io::Result<Event> {
        let event = Event { seq: self.seq, t_us, source: source.to_string(), body };
        serde_json::to_writer(&mut self.file, &event)?;
        self.file.write_all(b"\n")?;
        self.seq += 1;
        match event.body {
            Body::End { .. } => {
                self.file.flush()?;
                self.file.get_ref().sync_all()?;
            }
            Body::Run(_) | Body::Phase(_) | Body::Invalid { .. } => self.file.flush()?,
            _ => {}
        }
        Ok(event)
    }
}
