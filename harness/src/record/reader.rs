//! Reading a record back, plain or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use serde::Deserialize;

use ridethrough_targets::clock::Micros;

use super::event::{Body, Event, SCHEMA};

/// Bytes read from the file at a time.
const BUFFER: usize = 256 * 1024;
/// A record's name in the folder of its run.
pub const PLAIN: &str = "record.jsonl";
/// The same, compressed.
pub const PACKED: &str = "record.jsonl.gz";
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
/// writer died, and a compressed file may end before its end; what is torn is
/// left out, and a [`Body::Invalid`] from `reader` as the last event says so.
/// Nothing comes after an error.
pub struct RecordReader {
    path: String,
    file: Box<dyn BufRead + Send>,
    /// The file ends before its end.
    cut: bool,
    /// It was said that the end is missing.
    torn: bool,
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
    /// Opens a record. One that is compressed is known by its first bytes.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let name = path.as_ref().display().to_string();
        let file = unpacked(path.as_ref()).map_err(|source| RecordError::Io {
            path: name.clone(),
            source,
        })?;
        Ok(Self {
            path: name,
            file,
            cut: false,
            torn: false,
            text: Vec::new(),
            line: 0,
            next: 0,
            last_us: 0,
            over: false,
        })
    }

    /// The next event; `None` at the end of the file.
    fn read(&mut self) -> Result<Option<Event>, RecordError> {
        while !self.torn && self.read_line()? {
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
        if self.cut && !self.torn {
            let event = self.torn();
            return Ok(Some(event));
        }
        Ok(None)
    }

    /// False at the end of the file.
    fn read_line(&mut self) -> Result<bool, RecordError> {
        self.text.clear();
        let mut bounded = (&mut self.file).take(MAX_LINE);
        let read = bounded.read_until(b'\n', &mut self.text);
        let length = match read {
            Ok(length) => length,
            // What was unpacked before the file broke off is in the line.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.next > 0 => {
                self.cut = true;
                self.text.len()
            }
            Err(source) => {
                let path = self.path.clone();
                return Err(RecordError::Io { path, source });
            }
        };
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
    fn torn(&mut self) -> Event {
        self.torn = true;
        let line = self.line;
        Event {
            seq: self.next,
            t_us: self.last_us,
            source: "reader".into(),
            body: Body::Invalid {
                reason: format!("the record is torn: line {line}, the last one, was left out"),
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

/// A file's lines, plain or compressed.
fn unpacked(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if !packed {
        return Ok(Box::new(file));
    }
    let plain = MultiGzDecoder::new(file);
    Ok(Box::new(BufReader::with_capacity(BUFFER, plain)))
}

/// The record of a run's folder: plain, or compressed where it is old.
pub fn record_of(run: &Path) -> PathBuf {
    let plain = run.join(PLAIN);
    let packed = run.join(PACKED);
    if !plain.exists() && packed.exists() {
        packed
    } else {
        plain
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
