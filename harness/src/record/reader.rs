//! Reading a record back.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::event::{Body, Event, SCHEMA};

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

/// Reads a whole record.
///
/// A last line without its newline that is no event was being written when the
/// writer died; it is left out, and a [`Body::Note`] from `reader` at the end
/// of the result says so.
pub fn read_record(path: impl AsRef<Path>) -> Result<Vec<Event>, RecordError> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| RecordError::Io {
        path: path.display().to_string(),
        source,
    })?;
    parse(&bytes, &path.display().to_string())
}

fn parse(bytes: &[u8], path: &str) -> Result<Vec<Event>, RecordError> {
    let mut events: Vec<Event> = Vec::new();
    let mut rest = bytes;
    let mut line = 0;
    let mut torn = None;
    while !rest.is_empty() {
        line += 1;
        let end = rest.iter().position(|b| *b == b'\n');
        let (text, after) = rest.split_at(end.map_or(rest.len(), |e| e + 1));
        rest = after;
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if events.is_empty() {
            check_head(text)?;
        }
        match serde_json::from_slice::<Event>(text) {
            Ok(event) => {
                let expected = events.len() as u64;
                if event.seq != expected {
                    return Err(RecordError::Seq {
                        line,
                        expected,
                        found: event.seq,
                    });
                }
                events.push(event);
            }
            Err(_) if end.is_none() && !events.is_empty() => torn = Some(line),
            Err(error) => {
                return Err(RecordError::Line {
                    line,
                    problem: error.to_string(),
                });
            }
        }
    }
    let Some(last) = events.last() else {
        return Err(RecordError::Empty { path: path.into() });
    };
    if let Some(line) = torn {
        let note = Event {
            seq: last.seq + 1,
            t_us: last.t_us,
            source: "reader".into(),
            body: Body::Note {
                text: format!("line {line}, the last one, is torn and was left out"),
            },
        };
        events.push(note);
    }
    Ok(events)
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
