//! Writing a bundle: a tar of the run folder's files behind their manifest.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::chain::{Link, pieces};
use super::error::BundleError;
use super::key::Key;
use super::manifest::{About, Manifest, NAME, Sealed, Sheet};
use crate::record::{Body, RecordReader};

/// The files of a run folder, in the order of the chain; then its logs.
const FILES: [&str; 6] = [
    "playbook.yaml",
    "record.jsonl",
    "summary.json",
    "junit.xml",
    "report.html",
    "capture.pcapng",
];
/// Logs of one run; more are a mistake.
const MOST_LOGS: usize = 10_000;

/// Writes a run folder's bundle, signed where there is a key.
///
/// # Errors
/// The folder holds no run, or a file cannot be read or written; one that is there
/// already is never written over.
pub fn write_bundle(run: &Path, out: &Path, key: Option<&Key>) -> Result<Sealed, BundleError> {
    let about = about(run)?;
    let names = names(run)?;
    let sheets: Result<Vec<Sheet>, BundleError> = names.iter().map(|n| sheet(run, n)).collect();
    let manifest = Manifest::new(about, sheets?, key);
    let text = manifest.text();
    let file = File::options().write(true).create_new(true).open(out);
    let file = file.map_err(BundleError::io(out))?;
    let mut tar = tar::Builder::new(BufWriter::new(file));
    tar.mode(tar::HeaderMode::Deterministic);
    append(&mut tar, NAME, text.len() as u64, text.as_bytes()).map_err(BundleError::io(out))?;
    for sheet in &manifest.files {
        let path = run.join(&sheet.name);
        let file = File::open(&path).map_err(BundleError::io(&path))?;
        // A file that grew since it was hashed would break the tar.
        let bytes = std::io::Read::take(BufReader::new(file), sheet.size);
        append(&mut tar, &sheet.name, sheet.size, bytes).map_err(BundleError::io(out))?;
    }
    let mut writer = tar.into_inner().map_err(BundleError::io(out))?;
    writer.flush().map_err(BundleError::io(out))?;
    writer.get_ref().sync_all().map_err(BundleError::io(out))?;
    Ok(manifest.sealed())
}

/// One file, with a header that is the same whenever and by whomever it is made.
pub(super) fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    name: &str,
    size: u64,
    bytes: impl std::io::Read,
) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    // The record says when it was; the archive is the same whenever it is made.
    header.set_mtime(0);
    tar.append_data(&mut header, name, bytes)
}

fn about(run: &Path) -> Result<About, BundleError> {
    let path = run.join("record.jsonl");
    let not_one = |why: String| BundleError::NotOne {
        path: run.to_path_buf(),
        why,
    };
    let first = RecordReader::open(&path)
        .map_err(|error| not_one(error.to_string()))?
        .next();
    let event = first.ok_or_else(|| not_one("its record is empty".into()))?;
    let event = event.map_err(|error| not_one(error.to_string()))?;
    let Body::Run(header) = event.body else {
        return Err(not_one("its record has no header".into()));
    };
    let hash = header.facts.get("playbook_sha256").and_then(|v| v.as_str());
    Ok(About {
        playbook_sha256: hash.unwrap_or_default().to_string(),
        run: header.run,
        playbook: header.playbook,
        seed: header.seed,
        world: header.world,
        version: header.version,
        bundled_by: env!("CARGO_PKG_VERSION").to_string(),
    })
}

fn names(run: &Path) -> Result<Vec<String>, BundleError> {
    let there = FILES.iter().filter(|name| run.join(name).is_file());
    let mut all: Vec<String> = there.map(|name| (*name).to_string()).collect();
    let logs = run.join("logs");
    let mut found: Vec<PathBuf> = Vec::new();
    if logs.is_dir() {
        for entry in std::fs::read_dir(&logs).map_err(BundleError::io(&logs))? {
            let entry = entry.map_err(BundleError::io(&logs))?;
            // A link could lead out of the folder.
            if entry.file_type().is_ok_and(|kind| kind.is_file()) && found.len() < MOST_LOGS {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    let name = |path: &PathBuf| Some(format!("logs/{}", path.file_name()?.to_str()?));
    all.extend(found.iter().filter_map(name));
    Ok(all)
}

fn sheet(run: &Path, name: &str) -> Result<Sheet, BundleError> {
    let path = run.join(name);
    let file = File::open(&path).map_err(BundleError::io(&path))?;
    let mut links = Vec::new();
    let size = pieces(BufReader::new(file), |from, length, bytes| {
        links.push(Link {
            from,
            length,
            bytes,
            link: String::new(),
        });
    });
    Ok(Sheet {
        name: name.to_string(),
        size: size.map_err(BundleError::io(&path))?,
        links,
    })
}
