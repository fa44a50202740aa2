//! SNMPv3 with the user-based security model, RFC 3412 and RFC 3414.

mod engine;
mod keys;
mod receive;
mod remote;
mod tlv;

use rasn::types::{Integer, OctetString};
use rasn_snmp::v3::{HeaderData, Message, Pdus, ScopedPdu, ScopedPduData, USMSecurityParameters};

use self::engine::User;
use self::keys::{encrypt, initial, mac, mac_length};
use super::agent::Agent;

pub(super) use engine::Engine;
pub(super) use receive::receive;
pub(super) use remote::{Heard, Remote, discovery, message_id};
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
    /// A whole message, of which this engine is the authoritative one.
    pub(super) fn respond(&self, agent: &Agent, pdus: Pdus) -> Option<Vec<u8>> {
        let nobody = User::nobody();
        let engine = &agent.engine;
        let parcel = Parcel {
            message_id: self.message_id.clone(),
            clock: Clock {
                engine: &engine.id,
                boots: engine.boots,
                time: engine_time(agent),
            },
            user_name: &self.user_name,
            user: engine.user(&self.user_name).unwrap_or(&nobody),
            flags: self.level,
            context_engine: &engine.id,
            context: self.context.clone(),
        };
        seal(agent, &parcel, pdus)
    }
}

/// A trap of a user, as safe as the user's keys make it. Who sends a trap is the
/// authoritative engine of it (RFC 3414, section 1.5.1). Its context is the
/// device. Nothing where there is no such user.
pub(super) fn trap(
    agent: &Agent,
    user: &str,
    device: &str,
    id: i32,
    pdus: Pdus,
) -> Option<Vec<u8>> {
    let level = agent.engine.user(user.as_bytes())?.level();
    let security = Security {
        message_id: Integer::from(id),
        user_name: user.as_bytes().to_vec(),
        level,
        context: OctetString::from_slice(device.as_bytes()),
    };
    security.respond(agent, pdus)
}

/// The authoritative engine of a message, and its clock.
struct Clock<'a> {
    engine: &'a [u8],
    boots: u32,
    time: u32,
}

/// What a message is made of, besides its PDU.
struct Parcel<'a> {
    message_id: Integer,
    clock: Clock<'a>,
    user_name: &'a [u8],
    /// With keys for the authoritative engine.
    user: &'a User,
    flags: u8,
    context_engine: &'a [u8],
    context: OctetString,
}

/// Encrypts and signs, as far as the flags ask for it and there are keys.
fn seal(agent: &Agent, parcel: &Parcel<'_>, pdus: Pdus) -> Option<Vec<u8>> {
    let Clock {
        engine,
        boots,
        time,
    } = parcel.clock;
    let auth = parcel.user.auth.as_ref();
    let auth = auth.filter(|_| parcel.flags & AUTH != 0);
    let privacy = parcel.user.privacy.filter(|_| parcel.flags & PRIV != 0);
    let scoped = ScopedPdu {
        engine_id: OctetString::from_slice(parcel.context_engine),
        name: parcel.context.clone(),
        data: pdus,
    };
    let mut salt = OctetString::from_static(b"");
    let scoped_data = match privacy {
        None => ScopedPduData::CleartextPdu(scoped),
        Some(key) => {
            let fresh = agent.engine.salt();
            salt = OctetString::from_slice(&fresh);
            let mut bytes = rasn::ber::encode(&scoped).ok()?;
            encrypt(key, initial(boots, time, fresh), &mut bytes);
            ScopedPduData::EncryptedPdu(OctetString::from_slice(&bytes))
        }
    };
    let zeros = vec![0; auth.map_or(0, |(protocol, _)| mac_length(*protocol))];
    let parameters = USMSecurityParameters {
        authoritative_engine_id: OctetString::from_slice(engine),
        authoritative_engine_boots: boots.into(),
        authoritative_engine_time: time.into(),
        user_name: OctetString::from_slice(parcel.user_name),
        authentication_parameters: OctetString::from_slice(&zeros),
        privacy_parameters: salt,
    };
    let message = Message {
        version: Integer::from(3u8),
        global_data: HeaderData {
            message_id: parcel.message_id.clone(),
            max_size: Integer::from(u32::from(agent.config.max_message.max(484))),
            flags: OctetString::from_slice(&[parcel.flags]),
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

/// `snmpEngineTime`: seconds since it started.
fn engine_time(agent: &Agent) -> u32 {
    u32::try_from(agent.uptime() / 100).unwrap_or(u32::MAX)
}
