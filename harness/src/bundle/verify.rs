//! Whether a bundle is as it was sealed. Nothing is unpacked.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Component, Path};

use super::archive::append;
use super::chain::pieces;
use super::error::BundleError;
use super::key::signed;
use super::manifest::{Manifest, NAME, Sealed, Sheet, signed_text};

/// A manifest is read whole, so it has a bound: that of a record of 100 GB.
const LARGEST_MANIFEST: u64 = 64 << 20;
/// Files in a bundle.
const MOST_FILES: usize = 16_384;

/// A bundle that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it is known by.
    pub sealed: Sealed,
    /// The run's id.
    pub run: String,
    /// The playbook's name.
    pub playbook: String,
}

/// Checks a bundle; with `public`, also that this key has signed it, and with
/// `head`, that its chain ends there.
///
/// # Errors
/// It is no bundle, or something in it is not what was sealed; the error names the
/// file and the bytes.
pub fn verify(
    path: &Path,
    public: Option<&str>,
    head: Option<&str>,
) -> Result<Checked, BundleError> {
    let not_one = |why: String| BundleError::NotOne {
        path: path.to_path_buf(),
        why,
    };
    let file = File::open(path).map_err(BundleError::io(path))?;
    let length = file.metadata().map_err(BundleError::io(path))?.len();
    let mut tar = tar::Archive::new(BufReader::new(file));
    let mut entries = tar.entries().map_err(|e| not_one(e.to_string()))?;
    let first = entries
        .next()
        .ok_or_else(|| not_one("it is empty".into()))?;
    let mut first = first.map_err(|error| not_one(error.to_string()))?;
    if name(&first).map_err(not_one)? != NAME {
        return Err(not_one(format!("its first file is not {NAME}")));
    }
    if first.size() > LARGEST_MANIFEST.min(length) {
        return Err(not_one(format!("its {NAME} claims {} bytes", first.size())));
    }
    let mut text = String::new();
    let read = first.read_to_string(&mut text);
    read.map_err(|error| not_one(format!("{NAME}: {error}")))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| not_one(format!("{NAME}: {error}")))?;
    if manifest.files.len() > MOST_FILES {
        return Err(not_one("it has too many files".into()));
    }
    manifest.rechain().map_err(|why| broken(NAME, &why))?;
    if manifest.text() != text {
        return Err(broken(NAME, "it is not written as it was sealed"));
    }
    vouched(&manifest, public, head)?;
    let mut sheets = manifest.files.iter();
    for entry in entries {
        let entry = entry.map_err(|e| broken("the archive", &e.to_string()))?;
        let name = name(&entry).map_err(|why| broken("the archive", &why))?;
        if entry.size() > length {
            return Err(broken(&name, "it claims more bytes than the bundle has"));
        }
        let Some(sheet) = sheets.next().filter(|sheet| sheet.name == name) else {
            return Err(broken(
                &name,
                "it is not what the manifest has in this place",
            ));
        };
        check(sheet, entry)?;
    }
    if let Some(sheet) = sheets.next() {
        return Err(broken(&sheet.name, "it is missing"));
    }
    layout(path)?;
    Ok(Checked {
        sealed: manifest.sealed(),
        run: manifest.about.run,
        playbook: manifest.about.playbook,
    })
}

/// What is around the files, byte for byte: written again, the archive is the same.
fn layout(path: &Path) -> Result<(), BundleError> {
    let open = || File::open(path).map(BufReader::new);
    let original = open().map_err(BundleError::io(path))?;
    let mut archive = tar::Archive::new(open().map_err(BundleError::io(path))?);
    let mut same = Same { original, at: 0 };
    let mut again = || -> std::io::Result<()> {
        let mut tar = tar::Builder::new(&mut same);
        for entry in archive.entries()? {
            let entry = entry?;
            let name = name(&entry).map_err(std::io::Error::other)?;
            append(&mut tar, &name, entry.size(), entry)?;
        }
        tar.finish()?;
        drop(tar);
        match same.original.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(std::io::Error::other("it goes on after its end")),
        }
    };
    again().map_err(|error| broken("the archive itself", &error.to_string()))
}

/// Takes only what is there already.
struct Same<R> {
    original: R,
    at: u64,
}

impl<R: Read> Write for Same<R> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        self.original.read_exact(&mut there)?;
        if let Some(n) = there.iter().zip(bytes).position(|(a, b)| a != b) {
            let place = self.at + n as u64;
            return Err(std::io::Error::other(format!("byte {place} was changed")));
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn broken(what: &str, why: &str) -> BundleError {
    BundleError::Broken(format!("{what}: {why}"))
}

/// An entry's name, of a plain file that stays where it is unpacked.
fn name<R: Read>(entry: &tar::Entry<'_, R>) -> Result<String, String> {
    let path = entry.path().map_err(|error| error.to_string())?;
    let shown = path.display().to_string();
    if !entry.header().entry_type().is_file() {
        return Err(format!("{shown} is not a plain file"));
    }
    let stays = path.components().all(|c| matches!(c, Component::Normal(_)));
    match path.to_str() {
        Some(text) if stays && !text.is_empty() => Ok(text.to_string()),
        _ => Err(format!("{shown} leads out of the folder")),
    }
}

/// Whoever is asked for has signed it, and a signature that is there holds.
fn vouched(
    manifest: &Manifest,
    public: Option<&str>,
    head: Option<&str>,
) -> Result<(), BundleError> {
    if head.is_some_and(|head| head != manifest.head) {
        let why = format!("its chain ends in {}, not there", manifest.head);
        return Err(broken(NAME, &why));
    }
    let Some(seal) = &manifest.seal else {
        return match public {
            Some(_) => Err(broken(NAME, "nobody has signed it")),
            None => Ok(()),
        };
    };
    let text = signed_text(&manifest.head);
    if seal.algorithm != "ed25519" || !signed(&seal.public_key, &text, &seal.signature) {
        return Err(broken(NAME, "its signature does not hold"));
    }
    match public {
        Some(public) if !public.eq_ignore_ascii_case(&seal.public_key) => {
            let why = format!("it was signed by {}", seal.public_key);
            Err(broken(NAME, &why))
        }
        _ => Ok(()),
    }
}

/// Every piece of a file against its hash: the first that differs is told.
fn check(sheet: &Sheet, file: impl Read) -> Result<(), BundleError> {
    let mut links = sheet.links.iter().enumerate();
    let mut wrong = None;
    let size = pieces(file, |from, length, bytes| {
        let link = links.next();
        let same = link.is_some_and(|(_, link)| link.bytes == bytes && link.from == from);
        if !same && wrong.is_none() {
            let chunk = link.map_or(sheet.links.len(), |(n, _)| n);
            let last = (from + length).saturating_sub(1);
            wrong = Some(format!(
                "chunk {chunk}, bytes {from} to {last}, is not what was sealed"
            ));
        }
    });
    let size = size.map_err(|error| broken(&sheet.name, &error.to_string()))?;
    match wrong {
        Some(why) => Err(broken(&sheet.name, &why)),
        None if size != sheet.size => {
            let why = format!("it has {size} bytes, and {} were sealed", sheet.size);
            Err(broken(&sheet.name, &why))
        }
        None => Ok(()),
    }
}
