//! The authoritative engine: its name, its users, what it has refused.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use indexmap::IndexMap;

use super::super::config::{AuthProtocol, SnmpConfig, UsmUser};
use super::keys::localized;
use super::{AUTH, PRIV};

/// A user with the keys made of the passwords.
#[derive(Clone)]
pub(super) struct User {
    pub(super) auth: Option<(AuthProtocol, Vec<u8>)>,
    pub(super) privacy: Option<[u8; 16]>,
    pub(super) write: bool,
}

impl User {
    /// One without any key.
    pub(super) fn nobody() -> Self {
        Self {
            auth: None,
            privacy: None,
            write: false,
        }
    }

    /// The greatest security level that the keys allow, as flags.
    pub(super) fn level(&self) -> u8 {
        match (&self.auth, self.privacy) {
            (None, _) => 0,
            (Some(_), None) => AUTH,
            (Some(_), Some(_)) => AUTH | PRIV,
        }
    }
}

/// Why a message was refused; the last arc of the counter in `usmStats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnsupportedLevel,
    NotInTimeWindow,
    UnknownUser,
    UnknownEngine,
    WrongDigest,
    Decryption,
    /// `snmpUnknownContexts`, RFC 3413.
    UnknownContext,
}

impl Refusal {
    /// The counter's instance.
    pub(super) fn counter(self) -> Vec<u32> {
        const USM_STATS: [u32; 9] = [1, 3, 6, 1, 6, 3, 15, 1, 1];
        let arc = match self {
            Self::UnknownContext => return vec![1, 3, 6, 1, 6, 3, 12, 1, 5, 0],
            refusal => refusal as u32 + 1,
        };
        [&USM_STATS[..], &[arc, 0]].concat()
    }
}

/// The engine.
pub(in super::super) struct Engine {
    pub(super) id: Vec<u8>,
    pub(super) boots: u32,
    users: IndexMap<Vec<u8>, User>,
    refused: [AtomicU32; 7],
    salt: AtomicU64,
}

impl Engine {
    /// Keys are made here, once. A user with a password of less than eight
    /// characters does not exist.
    pub(in super::super) fn new(config: &SnmpConfig, first: &str) -> Self {
        let given = config.engine_id.as_deref().and_then(from_hex);
        let id = given.unwrap_or_else(|| default_id(first));
        let mut users = IndexMap::new();
        for user in &config.users {
            match keyed(user, &id) {
                Some(keyed) => drop(users.insert(user.name.clone().into_bytes(), keyed)),
                None => {
                    tracing::warn!(user = user.name, "an SNMP user whose password is too short")
                }
            }
        }
        Self {
            users,
            id,
            boots: config.engine_boots,
            refused: Default::default(),
            salt: AtomicU64::new(u64::from(config.engine_boots) << 32),
        }
    }

    pub(super) fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.get(name)
    }

    /// Counts a refusal; how many there were.
    pub(super) fn refuse(&self, refusal: Refusal) -> u32 {
        let counter = &self.refused[refusal as usize];
        counter.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// A salt that was never used before.
    pub(super) fn salt(&self) -> [u8; 8] {
        self.salt.fetch_add(1, Ordering::Relaxed).to_be_bytes()
    }
}

/// RFC 3411: an enterprise, then text of its own choosing.
fn default_id(first: &str) -> Vec<u8> {
    let mut id = vec![0x80, 0x00, 0x01, 0x3e, 4];
    id.extend(b"ridethrough-");
    id.extend(first.bytes().take(15));
    id
}

/// Bytes of hexadecimal digits: 5 to 32 of them, as RFC 3411 asks for.
fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits).as_bytes();
    if !digits.len().is_multiple_of(2) || !(10..=64).contains(&digits.len()) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}

/// A user with keys for an engine; nothing where a password is too short.
pub(super) fn keyed(user: &UsmUser, engine: &[u8]) -> Option<User> {
    let auth = match user.auth {
        Some(protocol) => Some((protocol, localized(protocol, &user.auth_password, engine)?)),
        None => None,
    };
    let privacy = match (user.privacy, user.auth) {
        (Some(_), Some(protocol)) => {
            let key = localized(protocol, &user.priv_password, engine)?;
            Some(*key.first_chunk()?)
        }
        _ => None,
    };
    Some(User {
        auth,
        privacy,
        write: user.write,
    })
}
