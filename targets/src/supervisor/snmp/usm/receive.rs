//! An incoming message of SNMPv3: RFC 3412, section 7.2, and RFC 3414,
//! section 3.2.

use std::ops::Range;

use rasn::types::{Integer, OctetString};
use rasn_snmp::v2::{Pdu, Report, Response};
use rasn_snmp::v3::{Message, Pdus, ScopedPdu, ScopedPduData, USMSecurityParameters};

use super::super::agent::Agent;
use super::super::message::{Reply, Request, Step, without_write};
use super::super::query::Version;
use super::super::value::{Value, bind};
use super::engine::{Refusal, User};
use super::keys::{decrypt, initial, mac, mac_length};
use super::{AUTH, PRIV, REPORTABLE, Security, Tlv, engine_time};

/// Seconds by which clocks may differ.
const TIME_WINDOW: u32 = 150;

/// Where in a message the authentication parameters are.
pub(super) fn digest_place(bytes: &[u8]) -> Option<Range<usize>> {
    let mut message = Tlv::new(bytes).enter(0x30)?;
    message.take(0x02)?;
    message.enter(0x30)?;
    let mut parameters = message.enter(0x04)?.enter(0x30)?;
    parameters.take(0x04)?;
    parameters.take(0x02)?;
    parameters.take(0x02)?;
    parameters.take(0x04)?;
    Some(parameters.enter(0x04)?.place())
}

/// A message as it came.
struct Incoming {
    header: Security,
    flags: u8,
    peer_max: usize,
    parameters: USMSecurityParameters,
    scoped: ScopedPduData,
}

/// Understands a message.
pub(in super::super) fn receive(agent: &Agent, bytes: &[u8]) -> Step {
    let Some(incoming) = decode(bytes) else {
        return Step::Drop;
    };
    match accept(agent, bytes, &incoming) {
        Ok(request) => request.map_or(Step::Drop, Step::Answer),
        Err(refusal) => incoming.report(agent, refusal),
    }
}

fn decode(bytes: &[u8]) -> Option<Incoming> {
    let message: Message = rasn::ber::decode(bytes).ok()?;
    let header = message.global_data;
    let [flags] = header.flags[..] else {
        return None;
    };
    let level = flags & (AUTH | PRIV);
    // Encrypted but not authenticated is no level at all.
    if header.security_model != Integer::from(3u8) || level == PRIV {
        return None;
    }
    let parameters: USMSecurityParameters = rasn::ber::decode(&message.security_parameters).ok()?;
    let peer_max = usize::try_from(header.max_size).unwrap_or(usize::MAX);
    Some(Incoming {
        header: Security {
            message_id: header.message_id,
            user_name: parameters.user_name.to_vec(),
            level,
            context: OctetString::from_static(b""),
        },
        flags,
        peer_max: peer_max.max(484),
        parameters,
        scoped: message.scoped_data,
    })
}

fn accept(agent: &Agent, bytes: &[u8], incoming: &Incoming) -> Result<Option<Request>, Refusal> {
    let engine = &agent.engine;
    let parameters = &incoming.parameters;
    if parameters.authoritative_engine_id[..] != engine.id[..] {
        return Err(Refusal::UnknownEngine);
    }
    let name = &incoming.header.user_name;
    let user = engine.user(name).ok_or(Refusal::UnknownUser)?;
    let level = incoming.header.level;
    if level & AUTH != 0 {
        authenticate(agent, bytes, incoming, user)?;
    }
    let scoped = match (&incoming.scoped, level & PRIV != 0) {
        (ScopedPduData::CleartextPdu(scoped), false) => scoped.clone(),
        (ScopedPduData::EncryptedPdu(secret), true) => {
            opened(secret, parameters, user).ok_or(Refusal::Decryption)?
        }
        _ => return Ok(None),
    };
    request(agent, incoming, user, scoped)
}

fn authenticate(
    agent: &Agent,
    bytes: &[u8],
    incoming: &Incoming,
    user: &User,
) -> Result<(), Refusal> {
    let Some((protocol, key)) = &user.auth else {
        return Err(Refusal::UnsupportedLevel);
    };
    if incoming.header.level & PRIV != 0 && user.privacy.is_none() {
        return Err(Refusal::UnsupportedLevel);
    }
    let place = digest_place(bytes).ok_or(Refusal::WrongDigest)?;
    let digest = &bytes[place.clone()];
    if digest.len() != mac_length(*protocol) {
        return Err(Refusal::WrongDigest);
    }
    let mut zeroed = bytes.to_vec();
    zeroed[place].fill(0);
    if mac(*protocol, key, &zeroed) != digest {
        return Err(Refusal::WrongDigest);
    }
    let [boots, time] = times(&incoming.parameters).ok_or(Refusal::NotInTimeWindow)?;
    let near = time.abs_diff(engine_time(agent)) <= TIME_WINDOW;
    if boots != agent.engine.boots || !near {
        return Err(Refusal::NotInTimeWindow);
    }
    Ok(())
}

/// The engine's boots and time, as the peer has them.
pub(super) fn times(parameters: &USMSecurityParameters) -> Option<[u32; 2]> {
    let boots = u32::try_from(parameters.authoritative_engine_boots.clone()).ok()?;
    let time = u32::try_from(parameters.authoritative_engine_time.clone()).ok()?;
    Some([boots, time])
}

/// A decrypted PDU.
pub(super) fn opened(
    secret: &[u8],
    parameters: &USMSecurityParameters,
    user: &User,
) -> Option<ScopedPdu> {
    let salt = <[u8; 8]>::try_from(&parameters.privacy_parameters[..]).ok()?;
    let [boots, time] = times(parameters)?;
    let mut bytes = secret.to_vec();
    decrypt(user.privacy?, initial(boots, time, salt), &mut bytes);
    rasn::ber::decode(&bytes).ok()
}

fn request(
    agent: &Agent,
    incoming: &Incoming,
    user: &User,
    scoped: ScopedPdu,
) -> Result<Option<Request>, Refusal> {
    let context = std::str::from_utf8(&scoped.name).map_err(|_| Refusal::UnknownContext)?;
    let device = agent.select(context).ok_or(Refusal::UnknownContext)?;
    let level = incoming.header.level;
    let enough =
        (user.auth.is_none() || level & AUTH != 0) && (user.privacy.is_none() || level & PRIV != 0);
    let pdus = match scoped.data {
        Pdus::SetRequest(_) if enough && !user.write => without_write(scoped.data),
        Pdus::GetRequest(_)
        | Pdus::GetNextRequest(_)
        | Pdus::GetBulkRequest(_)
        | Pdus::SetRequest(_) => scoped.data,
        _ => return Ok(None),
    };
    let pdus = match enough {
        true => pdus,
        // RFC 3413: no access at this level.
        false => Pdus::Response(Response(Pdu {
            request_id: request_id(&pdus),
            error_status: Pdu::ERROR_STATUS_AUTHORIZATION_ERROR,
            error_index: 0,
            variable_bindings: Vec::new(),
        })),
    };
    Ok(Some(Request {
        device,
        pdus,
        version: Version::V2,
        max_message: incoming.max_message(agent),
        reply: Reply::Usm(Box::new(Security {
            message_id: incoming.header.message_id.clone(),
            user_name: incoming.header.user_name.clone(),
            level,
            context: scoped.name,
        })),
    }))
}

fn request_id(pdus: &Pdus) -> i32 {
    match pdus {
        Pdus::GetRequest(request) => request.0.request_id,
        Pdus::GetNextRequest(request) => request.0.request_id,
        Pdus::GetBulkRequest(request) => request.0.request_id,
        Pdus::SetRequest(request) => request.0.request_id,
        _ => 0,
    }
}

impl Incoming {
    fn max_message(&self, agent: &Agent) -> usize {
        self.peer_max.min(usize::from(agent.config.max_message))
    }

    /// A Report-PDU: the counter of what was wrong. Of a time window it is
    /// authenticated, so that the peer can believe the time in it.
    fn report(&self, agent: &Agent, refusal: Refusal) -> Step {
        let count = agent.engine.refuse(refusal);
        if self.flags & REPORTABLE == 0 {
            return Step::Drop;
        }
        let counter = Value::Counter(count).syntax(0);
        let id = match &self.scoped {
            ScopedPduData::CleartextPdu(scoped) => request_id(&scoped.data),
            ScopedPduData::EncryptedPdu(_) => 0,
        };
        let report = Report(Pdu {
            request_id: id,
            error_status: Pdu::ERROR_STATUS_NO_ERROR,
            error_index: 0,
            variable_bindings: vec![bind(&refusal.counter(), counter)],
        });
        let level = match refusal {
            Refusal::NotInTimeWindow => AUTH,
            Refusal::UnknownContext => self.header.level,
            _ => 0,
        };
        let security = Security {
            message_id: self.header.message_id.clone(),
            user_name: self.header.user_name.clone(),
            level,
            context: OctetString::from_static(b""),
        };
        match security.respond(agent, Pdus::Report(report)) {
            Some(bytes) => Step::Send(bytes),
            None => Step::Drop,
        }
    }
}
