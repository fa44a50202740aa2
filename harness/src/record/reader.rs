//! Reading a record back.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use ridethrough_targets::clock::Micros;

use super::event::{Body, Event, SCHEMA};

/// Bytes read from the file at a time.
const BUFFER: usize = 256 * 1024;
/// No line is longer: an answer of a million tokens takes a tenth of it.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be read.
    #[error("could not read the record {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is in it.
    #[error("the record {path} holds no event")]
    Empty {
        /// The file.
        path: String,
    },
    /// The first line is no run header.
    #[error("line 1 of the record is no run header, but `{found}`")]
    NoHeader {
        /// The kind found there.
        found: String,
    },
    /// Written by a newer ridethrough.
    #[error(
        "the record has schema {found} (ridethrough {version}); this ridethrough reads schemas up to {SCHEMA}"
    )]
    Newer {
        /// Its schema.
        found: u64,
        /// The version that wrote it.
        version: String,
    },
    /// A line is no event.
    #[error("line {line} of the record is no event: {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// An event is missing or came twice.
    #[error("line {line} of the record has seq {found}; expected {expected}")]
    Seq {
        /// Counted from 1.
        line: usize,
        /// The number that should be there.
        expected: u64,
        /// The number that is.
        found: u64,
    },
}

/// What the first line must say before anything else is believed.
#[derive(Deserialize)]
struct Head {
    kind: Option<String>,
    schema: Option<u64>,
    version: Option<String>,
}

/// A record, read event by event: a long run's does not fit into memory.
///
/// A last line without its newline that is no event was being written when the
/// writer died; it is left out, and a [`Body::Note`] from `reader` as the last
/// event says so. Nothing comes after an error.
#[derive(Debug)]
pub struct RecordReader {
    path: String,
    file: BufReader<File>,
    /// The present line, in a buffer that is used again.
    text: Vec<u8>,
    /// Lines read.
    line: usize,
    /// Number of the next event.
    next: u64,
    /// Time of the last event.
    last_us: Micros,
    over: bool,
}

impl RecordReader {
    /// Opens a record.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let name = path.as_ref().display().to_string();
        let file = File::open(path).map_err(|source| RecordError::Io {
            path: name.clone(),
            source,
        })?;
        Ok(Self {
            path: name,
            file: BufReader::with_capacity(BUFFER, file),
            text: Vec::new(),
            line: 0,
            next: 0,
            last_us: 0,
            over: false,
        })
    }

    /// The next event; `None` at the end of the file.
    fn read(&mut self) -> Result<Option<Event>, RecordError> {
        while self.read_line()? {
            if self.text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if self.next == 0 {
                check_head(&self.text)?;
            }
            return self.event().map(Some);
        }
        if self.next == 0 {
            let path = self.path.clone();
            return Err(RecordError::Empty { path });
        }
        Ok(None)
    }

    /// False at the end of the file.
    fn read_line(&mut self) -> Result<bool, RecordError> {
        self.text.clear();
        let mut bounded = (&mut self.file).take(MAX_LINE);
        let read = bounded.read_until(b'\n', &mut self.text);
        let length = read.map_err(|source| RecordError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.line += 1;
        if length as u64 == MAX_LINE && !self.text.ends_with(b"\n") {
            let problem = format!("it is longer than {MAX_LINE} bytes");
            return Err(self.no_event(problem));
        }
        Ok(length > 0)
    }

    fn event(&mut self) -> Result<Event, RecordError> {
        let event = match serde_json::from_slice::<Event>(&self.text) {
            Ok(event) => event,
            Err(_) if self.next > 0 && !self.text.ends_with(b"\n") => self.torn(),
            Err(error) => return Err(self.no_event(error.to_string())),
        };
        if event.seq != self.next {
            return Err(RecordError::Seq {
                line: self.line,
                expected: self.next,
                found: event.seq,
            });
        }
        self.next += 1;
        self.last_us = event.t_us;
        Ok(event)
    }

    /// What is said in the place of the present line, the last one.
    fn torn(&self) -> Event {
        let line = self.line;
        Event {
            seq: self.next,
            t_us: self.last_us,
            source: "reader".into(),
            body: Body::Note {
                text: format!("line {line}, the last one, is torn and was left out"),
            },
        }
    }

    fn no_event(&self, problem: String) -> RecordError {
        RecordError::Line {
            line: self.line,
            problem,
        }
    }
}

impl Iterator for RecordReader {
    type Item = Result<Event, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let read = self.read();
        self.over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// Reads a whole record at once; for short ones.
pub fn read_record(path: impl AsRef<Path>) -> Result<Vec<Event>, RecordError> {
    RecordReader::open(path)?.collect()
}

/// A newer record may hold events that this version cannot know, so its schema
/// is looked at before the line is read as an event.
fn check_head(text: &[u8]) -> Result<(), RecordError> {
    let head: Head = serde_json::from_slice(text).map_err(|error| RecordError::Line {
        line: 1,
        problem: error.to_string(),
    })?;
    if head.kind.as_deref() != Some("run") {
        return Err(RecordError::NoHeader {
            found: head.kind.unwrap_or_else(|| "no kind at all".into()),
        });
    }
    match head.schema {
        Some(found) if found > u64::from(SCHEMA) => Err(RecordError::Newer {
            found,
            version: head.version.unwrap_or_else(|| "unknown".into()),
        }),
        _ => Ok(()),
    }
}
