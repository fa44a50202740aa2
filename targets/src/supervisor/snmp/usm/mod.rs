//! SNMPv3 with the user-based security model, RFC 3412 and RFC 3414.

mod engine;
mod keys;
mod receive;
mod tlv;

use rasn::types::{Integer, OctetString};
use rasn_snmp::v3::{HeaderData, Message, Pdus, ScopedPdu, ScopedPduData, USMSecurityParameters};

use self::engine::User;
use self::keys::{encrypt, initial, mac, mac_length};
use super::agent::Agent;

pub(super) use engine::Engine;
pub(super) use receive::receive;
pub(super) use tlv::Tlv;

const AUTH: u8 = 1;
const PRIV: u8 = 2;
const REPORTABLE: u8 = 4;

/// Bytes of an answer that are not its variables, at most: heads, two names of
/// the engine, a user, a context, a digest and a salt.
pub(super) const OVERHEAD: usize = 260;

/// How an answer is wrapped: as its request was.
pub(super) struct Security {
    message_id: Integer,
    user_name: Vec<u8>,
    /// The security level, as flags.
    level: u8,
    context: OctetString,
}

impl Security {
    /// A whole message.
    pub(super) fn respond(&self, agent: &Agent, pdus: Pdus) -> Option<Vec<u8>> {
        let engine = &agent.engine;
        let time = engine_time(agent);
        let nobody = User {
            auth: None,
            privacy: None,
            write: false,
        };
        let user = engine.user(&self.user_name).unwrap_or(&nobody);
        let auth = user.auth.as_ref().filter(|_| self.level & AUTH != 0);
        let privacy = user.privacy.filter(|_| self.level & PRIV != 0);
        let scoped = ScopedPdu {
            engine_id: OctetString::from_slice(&engine.id),
            name: self.context.clone(),
            data: pdus,
        };
        let mut salt = OctetString::from_static(b"");
        let scoped_data = match privacy {
            None => ScopedPduData::CleartextPdu(scoped),
            Some(key) => {
                let fresh = engine.salt();
                salt = OctetString::from_slice(&fresh);
                let mut bytes = rasn::ber::encode(&scoped).ok()?;
                encrypt(key, initial(engine.boots, time, fresh), &mut bytes);
                ScopedPduData::EncryptedPdu(OctetString::from_slice(&bytes))
            }
        };
        let zeros = vec![0; auth.map_or(0, |(protocol, _)| mac_length(*protocol))];
        let parameters = USMSecurityParameters {
            authoritative_engine_id: OctetString::from_slice(&engine.id),
            authoritative_engine_boots: engine.boots.into(),
            authoritative_engine_time: time.into(),
            user_name: OctetString::from_slice(&self.user_name),
            authentication_parameters: OctetString::from_slice(&zeros),
            privacy_parameters: salt,
        };
        let message = Message {
            version: Integer::from(3u8),
            global_data: HeaderData {
                message_id: self.message_id.clone(),
                max_size: Integer::from(u32::from(agent.config.max_message.max(484))),
                flags: OctetString::from_slice(&[self.level]),
                security_model: Integer::from(3u8),
            },
            security_parameters: OctetString::from_slice(&rasn::ber::encode(&parameters).ok()?),
            scoped_data,
        };
        let mut bytes = rasn::ber::encode(&message).ok()?;
        if let Some((protocol, key)) = auth {
            let place = receive::digest_place(&bytes)?;
            let digest = mac(*protocol, key, &bytes);
            bytes.get_mut(place)?.copy_from_slice(&digest);
        }
        Some(bytes)
    }
}

/// `snmpEngineTime`: seconds since it started.
fn engine_time(agent: &Agent) -> u32 {
    u32::try_from(agent.uptime() / 100).unwrap_or(u32::MAX)
}
