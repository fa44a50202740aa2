//! Reading a record back.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::event::{Body, Event, SCHEMA};

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not an event.
    #[error("{path}:{line}: not an event: {source}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A newer version wrote it.
    #[error("{path}: written in format {found}; this version reads up to {SCHEMA}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

/// Every event of a record. A last line that was torn by a crash is left out;
/// the missing `end` tells the judge.
pub fn read_record(path: &Path) -> Result<Vec<Event>, RecordError> {
    let io = |source| RecordError::Io { path: path.to_path_buf(), source };
    let mut reader = BufReader::new(File::open(path).map_err(io)?);
    let mut events = Vec::new();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        if reader.read_line(&mut text).map_err(io)? == 0 {
            break;
        }
        match serde_json::from_str::<Event>(&text) {
            Ok(event) => {
                if let Body::Run(header) = &event.body
                    && header.schema > SCHEMA
                {
                    return Err(RecordError::Newer {
                        path: path.to_path_buf(),
                        found: header.schema,
                    });
                }
                events.push(event);
            }
            Err(_) if !text.ends_with('\n') => break,
            Err(source) => {
                return Err(RecordError::Line { path: path.to_path_buf(), line, source });
            }
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::record::RecordWriter;

    fn note(text: &str) -> Body {
        Body::Note { text: text.into() }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.jsonl");
        let mut writer = RecordWriter::create(&path).unwrap();
        let mut written = Vec::new();
        for (t_us, text) in [(5, "one"), (7, "two")] {
            written.push(writer.write(t_us, "engine", note(text)).unwrap());
        }
        written.push(writer.write(9, "engine", Body::End { how: "completed".into() }).unwrap());
        assert_eq!(read_record(&path).unwrap(), written);
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_a_broken_one_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.jsonl");
        let whole = r#"{"seq":0,"t_us":1,"source":"engine","kind":"note","text":"x"}"#;
        let mut file = File::create(&path).unwrap();
        write!(file, "{whole}\n{{\"seq\":1,\"t_").unwrap();
        assert_eq!(read_record(&path).unwrap().len(), 1);
        let mut file = File::create(&path).unwrap();
        write!(file, "{whole}\nnonsense\n{whole}\n").unwrap();
        let error = read_record(&path).unwrap_err().to_string();
        assert!(error.contains("record.jsonl:2"), "{error}");
    }
}
