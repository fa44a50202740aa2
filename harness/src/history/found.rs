//! Which folders are runs of ours. Whatever is not certain is left alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::record::{Body, PACKED, PLAIN, RecordReader};

/// Where a summary stands in a run's folder.
const SUMMARY: &str = "summary.json";
/// A run without a summary may still go on for this long after it last wrote: an
/// idle one writes little, and to keep what a dead one left for a day costs little.
const GOES_ON_S: i64 = 24 * 3_600;

/// A run's folder.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) folder: PathBuf,
    /// Its record, plain or compressed.
    pub(super) record: PathBuf,
    /// Playbook and world: of each, the last failing run is kept.
    pub(super) of: (String, String),
    /// All promises held.
    pub(super) passed: bool,
    /// When its record was last written.
    pub(super) written: Timestamp,
}

/// Why a folder is none, or none that may be touched.
pub(super) enum Other {
    /// Not a run at all; nothing is said of it.
    Nothing,
    /// What looks like a run, and is left alone for a reason.
    Because(String),
}

/// What a run's summary says of it.
#[derive(Deserialize)]
struct Verdict {
    verdict: String,
}

/// Looks at one entry of a folder of runs. Links are never followed.
pub(super) fn look(folder: &Path, now: Timestamp) -> Result<Found, Other> {
    if !is(folder, fs::Metadata::is_dir) {
        return Err(Other::Nothing);
    }
    let (plain, packed) = (folder.join(PLAIN), folder.join(PACKED));
    let record = match (
        is(&plain, fs::Metadata::is_file),
        is(&packed, fs::Metadata::is_file),
    ) {
        (true, _) => plain,
        (false, true) => packed,
        (false, false) => return Err(Other::Nothing),
    };
    let because = |why: String| Other::Because(why);
    let first = RecordReader::open(&record).map(|mut reader| reader.next());
    let header = match first.map_err(|error| because(error.to_string()))? {
        Some(Ok(event)) => match event.body {
            Body::Run(header) => header,
            _ => return Err(because("its record has no header".into())),
        },
        Some(Err(error)) => return Err(because(error.to_string())),
        None => return Err(because("its record is empty".into())),
    };
    let written = written(&record).map_err(|error| because(error.to_string()))?;
    let summary = fs::read(folder.join(SUMMARY)).ok();
    if summary.is_none() && now.as_second() - written.as_second() < GOES_ON_S {
        return Err(because("it may still go on".into()));
    }
    let verdict = summary.and_then(|text| serde_json::from_slice::<Verdict>(&text).ok());
    Ok(Found {
        folder: folder.to_path_buf(),
        record,
        of: (header.playbook, header.world),
        passed: verdict.is_some_and(|v| v.verdict == "pass"),
        written,
    })
}

fn written(path: &Path) -> io::Result<Timestamp> {
    let at = fs::symlink_metadata(path)?.modified()?;
    Timestamp::try_from(at).map_err(io::Error::other)
}

/// Something that is there by itself, not through a link.
pub(super) fn is(path: &Path, kind: fn(&fs::Metadata) -> bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| kind(&file))
}
