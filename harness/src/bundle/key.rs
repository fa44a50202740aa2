//! Ed25519 keys in files of their own.

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::chain::{hex, unhex};
use super::error::BundleError;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// A key's file is far smaller.
const LARGEST: u64 = 16 << 10;

/// A key that signs.
pub struct Key(Ed25519KeyPair);

impl Key {
    /// Reads a key that [`generate`] wrote.
    ///
    /// # Errors
    /// It cannot be read, or is no such key.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let wrong = |why: &str| BundleError::Key(format!("{}: {why}", path.display()));
        let length = std::fs::metadata(path)
            .map_err(BundleError::io(path))?
            .len();
        if length > LARGEST {
            return Err(wrong("this is no key, it is too large"));
        }
        let text = std::fs::read_to_string(path).map_err(BundleError::io(path))?;
        let body = text.trim().strip_prefix(BEGIN);
        let body = body.and_then(|rest| rest.strip_suffix(END));
        let body: String = body
            .ok_or_else(|| wrong("this is no private key"))?
            .split_whitespace()
            .collect();
        let der = STANDARD.decode(body).map_err(|_| wrong("it is damaged"))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
        let pair = pair.map_err(|_| wrong("it is no Ed25519 key"))?;
        Ok(Self(pair))
    }

    /// The key that others check with, in hexadecimal.
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    pub(super) fn sign(&self, message: &[u8]) -> String {
        hex(self.0.sign(message).as_ref())
    }
}

/// Makes a key and writes it to a new file that its owner alone can read. Returns
/// the public key.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn generate(path: &Path) -> Result<String, BundleError> {
    let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    let made = made.map_err(|_| BundleError::Key("no randomness to make a key of".into()))?;
    let body = STANDARD.encode(made.as_ref());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(BundleError::io(path))?;
    let text = format!("{BEGIN}\n{body}\n{END}\n");
    file.write_all(text.as_bytes())
        .map_err(BundleError::io(path))?;
    Ok(Key::read(path)?.public())
}

/// Whether a public key has signed a message.
pub(super) fn signed(public: &str, message: &[u8], signature: &str) -> bool {
    let (Some(public), Some(signature)) = (unhex(public), unhex(signature)) else {
        return false;
    };
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(message, &signature).is_ok()
}
