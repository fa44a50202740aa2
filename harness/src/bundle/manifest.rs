//! What a bundle says of itself.

use serde::{Deserialize, Serialize};

use super::chain::{Chain, Hex, Link};
use super::key::Key;

/// The manifest's name in a bundle, where it is the first file.
pub(super) const NAME: &str = "manifest.json";
/// The version of this format.
const FORMAT: u32 = 1;

/// A bundle's files with their hashes, and the head of the chain over all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    /// What was run.
    pub about: About,
    pub(super) files: Vec<Sheet>,
    /// The last link of the chain.
    pub head: Hex,
    /// Who vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

/// What was run, by the record's first line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The run's id.
    pub run: String,
    /// The playbook's name.
    pub playbook: String,
    /// The playbook's hash, as the run knew it.
    pub playbook_sha256: String,
    /// The seed.
    pub seed: u64,
    /// The world.
    pub world: String,
    /// The version of ridethrough that ran.
    pub version: String,
    /// The version that made the bundle.
    pub bundled_by: String,
}

/// A file in pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) links: Vec<Link>,
}

/// A signature of the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// `ed25519`.
    pub algorithm: String,
    /// The key to check with, in hexadecimal.
    pub public_key: Hex,
    /// The signature, in hexadecimal.
    pub signature: Hex,
}

/// What a bundle is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The last link of its chain: to be noted elsewhere.
    pub head: String,
    /// Whose key has signed it.
    pub public_key: Option<String>,
    /// Its files.
    pub files: usize,
    /// Bytes in them.
    pub bytes: u64,
}

impl Manifest {
    /// Of files whose pieces have been hashed, but not yet chained.
    pub(super) fn new(about: About, mut files: Vec<Sheet>, key: Option<&Key>) -> Self {
        let mut chain = Chain::begin(&start(FORMAT, &about));
        for sheet in &mut files {
            for link in &mut sheet.links {
                link.link = chain.add(&sheet.name, link.from, link.length, &link.bytes);
            }
        }
        let head = chain.head().to_string();
        Self {
            format: FORMAT,
            seal: key.map(|key| Seal {
                algorithm: "ed25519".into(),
                public_key: key.public(),
                signature: key.sign(&signed_text(&head)),
            }),
            about,
            files,
            head,
        }
    }

    /// The chain that the manifest's own words make; an error in words where they
    /// do not fit together.
    pub(super) fn rechain(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!(
                "it has format {}, and this reads {FORMAT}",
                self.format
            ));
        }
        let mut chain = Chain::begin(&start(self.format, &self.about));
        for sheet in &self.files {
            let mut place = 0;
            for link in &sheet.links {
                if link.from != place {
                    return Err(format!(
                        "pieces of {} do not join at byte {place}",
                        sheet.name
                    ));
                }
                place += link.length;
                let is = chain.add(&sheet.name, link.from, link.length, &link.bytes);
                if is != link.link {
                    return Err(format!(
                        "the chain breaks at {}, bytes {} to {}",
                        sheet.name,
                        link.from,
                        (link.from + link.length).saturating_sub(1)
                    ));
                }
            }
            if place != sheet.size {
                return Err(format!("pieces of {} do not make its size", sheet.name));
            }
        }
        match chain.head() == self.head {
            true => Ok(()),
            false => Err("the chain does not end in its head".into()),
        }
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// What the bundle is known by.
    pub(super) fn sealed(&self) -> Sealed {
        Sealed {
            head: self.head.clone(),
            public_key: self.seal.as_ref().map(|seal| seal.public_key.clone()),
            files: self.files.len(),
            bytes: self.files.iter().map(|sheet| sheet.size).sum(),
        }
    }
}

/// What the chain begins with.
fn start(format: u32, about: &About) -> String {
    let about = serde_json::to_string(about).unwrap_or_default();
    format!("{format}\n{about}")
}

/// What is signed: never the bare hash, so that a signature means nothing elsewhere.
pub(super) fn signed_text(head: &str) -> Vec<u8> {
    format!("ridethrough bundle head {head}").into_bytes()
}
