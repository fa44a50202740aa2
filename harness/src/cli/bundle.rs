//! `ridethrough bundle`, `verify` and `keygen`

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::main::complain;
use crate::bundle::{BundleError, Key, Sealed, generate, verify as check, write_bundle};

/// Seals a run folder into one file.
pub(super) fn bundle(run: &Path, out: Option<PathBuf>, key: Option<&Path>) -> Exit {
    let out = out.unwrap_or_else(|| run.join("bundle.tar"));
    match seal(run, &out, key) {
        Ok(said) => {
            println!("{said}");
            Exit::Passed
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}

/// Writes a bundle; what to tell of it, in lines.
pub(super) fn seal(run: &Path, out: &Path, key: Option<&Path>) -> Result<String, BundleError> {
    let key = key.map(Key::read).transpose()?;
    let sealed = write_bundle(run, out, key.as_ref())?;
    let shown = out.display();
    Ok(match &sealed.public_key {
        Some(public) => format!(
            "{shown}: {}\nsigned by {public}\nhead {}",
            held(&sealed),
            sealed.head
        ),
        None => format!(
            "{shown}: {}\nhead {}\nNobody has signed it: note this head elsewhere, and check it \
             with `ridethrough verify {shown} --head …`.",
            held(&sealed),
            sealed.head
        ),
    })
}

fn held(sealed: &Sealed) -> String {
    format!("{} files, {} bytes", sealed.files, sealed.bytes)
}

/// Checks a bundle.
pub(super) fn verify(path: &Path, public: Option<&str>, head: Option<&str>) -> Exit {
    match check(path, public, head) {
        Ok(checked) => {
            let whose = match (&checked.sealed.public_key, public, head) {
                (Some(key), Some(_), _) => format!("signed by {key}, whom you asked for"),
                (Some(key), None, _) => format!("signed by {key}: is that who you expect?"),
                (None, _, Some(_)) => "and its head is the one that you noted".into(),
                (None, _, None) => format!(
                    "and nobody has signed it: compare its head with what was noted, {}",
                    checked.sealed.head
                ),
            };
            println!(
                "The bundle of {} (run {}) is whole: {}, {whose}.",
                checked.playbook,
                checked.run,
                held(&checked.sealed)
            );
            Exit::Passed
        }
        Err(error) => {
            complain(&error.to_string());
            match error {
                // A file that is not there proves nothing.
                BundleError::Io { .. } => Exit::Usage,
                _ => Exit::Failed,
            }
        }
    }
}

/// Makes a key to sign bundles with.
pub(super) fn keygen(path: &Path) -> Exit {
    match generate(path) {
        Ok(public) => {
            println!("{}: keep it to yourself", path.display());
            println!("public key {public}: tell it to whoever is to check");
            Exit::Passed
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}
