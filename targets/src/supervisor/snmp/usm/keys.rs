//! Keys, digests and ciphers: RFC 3414, sections 2.6, 6 and 7; RFC 7860;
//! RFC 3826.

use aes::cipher::KeyIvInit;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::super::config::AuthProtocol;

/// The password is repeated to this many bytes.
const STRETCHED: usize = 1_048_576;

fn hash(protocol: AuthProtocol, parts: &[&[u8]]) -> Vec<u8> {
    fn of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut hasher = D::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().to_vec()
    }
    match protocol {
        AuthProtocol::Md5 => of::<Md5>(parts),
        AuthProtocol::Sha1 => of::<Sha1>(parts),
        AuthProtocol::Sha256 => of::<Sha256>(parts),
    }
}

/// The key of a password, localized to an engine; nothing where the password
/// is too short.
pub(super) fn localized(protocol: AuthProtocol, password: &str, engine: &[u8]) -> Option<Vec<u8>> {
    if password.len() < 8 {
        return None;
    }
    let stretched: Vec<u8> = password.bytes().cycle().take(STRETCHED).collect();
    let key = hash(protocol, &[&stretched]);
    Some(hash(protocol, &[&key, engine, &key]))
}

/// Bytes of the digest in a message.
pub(super) fn mac_length(protocol: AuthProtocol) -> usize {
    match protocol {
        AuthProtocol::Md5 | AuthProtocol::Sha1 => 12,
        AuthProtocol::Sha256 => 24,
    }
}

/// The digest of a message whose authentication parameters are zero.
pub(super) fn mac(protocol: AuthProtocol, key: &[u8], message: &[u8]) -> Vec<u8> {
    fn of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
        // HMAC takes a key of any length.
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
            return Vec::new();
        };
        mac.update(message);
        mac.finalize().into_bytes().to_vec()
    }
    let mut mac = match protocol {
        AuthProtocol::Md5 => of::<Hmac<Md5>>(key, message),
        AuthProtocol::Sha1 => of::<Hmac<Sha1>>(key, message),
        AuthProtocol::Sha256 => of::<Hmac<Sha256>>(key, message),
    };
    mac.truncate(mac_length(protocol));
    mac
}

/// What CFB128-AES-128 begins with: boots, time and the message's salt.
pub(super) fn initial(boots: u32, time: u32, salt: [u8; 8]) -> [u8; 16] {
    let mut initial = [0; 16];
    initial[..4].copy_from_slice(&boots.to_be_bytes());
    initial[4..8].copy_from_slice(&time.to_be_bytes());
    initial[8..].copy_from_slice(&salt);
    initial
}

pub(super) fn encrypt(key: [u8; 16], initial: [u8; 16], bytes: &mut [u8]) {
    cfb_mode::Encryptor::<aes::Aes128>::new(&key.into(), &initial.into()).encrypt(bytes);
}

pub(super) fn decrypt(key: [u8; 16], initial: [u8; 16], bytes: &mut [u8]) {
    cfb_mode::Decryptor::<aes::Aes128>::new(&key.into(), &initial.into()).decrypt(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// RFC 3414, appendices A.3.1 and A.3.2.
    #[test]
    fn keys_of_the_rfc() {
        let engine = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        let md5 = localized(AuthProtocol::Md5, "maplesyrup", &engine).unwrap();
        assert_eq!(hex(&md5), "526f5eed9fcce26f8964c2930787d82b");
        let sha = localized(AuthProtocol::Sha1, "maplesyrup", &engine).unwrap();
        assert_eq!(hex(&sha), "6695febc9288e36282235fc7151f128497b38f3f");
        assert_eq!(localized(AuthProtocol::Sha1, "short", &engine), None);
    }
}
