//! Another engine. It is the authoritative one of an inform that it gets
//! (RFC 3414, section 1.5.1), so its name, boots and time must be found out
//! before (section 4), and keys be made for it.

use rasn::types::{Integer, OctetString};
use rasn_snmp::v2::{GetRequest, Pdu};
use rasn_snmp::v3::{Message, Pdus, ScopedPdu, ScopedPduData, USMSecurityParameters};
use tokio::time::Instant;

use super::super::agent::Agent;
use super::super::value::object_id;
use super::engine::{User, keyed};
use super::keys::mac;
use super::receive::{digest_place, opened, times};
use super::{AUTH, Clock, PRIV, Parcel, REPORTABLE, seal};

/// `usmStatsNotInTimeWindows`: what an engine reports of a clock that is off.
const NOT_IN_TIME_WINDOW: [u32; 11] = [1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0];

/// An engine that has said who it is, and a user there.
#[derive(Clone)]
pub(in super::super) struct Remote {
    id: Vec<u8>,
    boots: u32,
    /// Its time in seconds, and when it said so.
    time: (u32, Instant),
    user_name: Vec<u8>,
    user: User,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Heard {
    /// The inform has arrived.
    Response,
    /// The engine's clock is another one than was thought.
    Clock(u32, u32),
    /// The engine reports something else: it is not the one that it was, or it
    /// does not know the user.
    Refused,
}

/// A message that every engine answers with its name.
pub(in super::super) fn discovery(agent: &Agent, id: i32) -> Option<Vec<u8>> {
    let nobody = User::nobody();
    let pdu = Pdu {
        request_id: id,
        error_status: Pdu::ERROR_STATUS_NO_ERROR,
        error_index: 0,
        variable_bindings: Vec::new(),
    };
    let parcel = Parcel {
        message_id: Integer::from(id),
        clock: Clock {
            engine: &[],
            boots: 0,
            time: 0,
        },
        user_name: &[],
        user: &nobody,
        flags: REPORTABLE,
        context_engine: &[],
        context: OctetString::from_static(b""),
    };
    seal(agent, &parcel, Pdus::GetRequest(GetRequest(pdu)))
}

/// The number of a message of SNMPv3.
pub(in super::super) fn message_id(bytes: &[u8]) -> Option<i32> {
    let message: Message = rasn::ber::decode(bytes).ok()?;
    i32::try_from(message.global_data.message_id).ok()
}

impl Remote {
    /// From the report that answers a [`discovery`]. Keys are made here, which
    /// takes a while; nothing where the agent has no such user.
    pub(in super::super) fn learn(agent: &Agent, user: &str, report: &[u8]) -> Option<Self> {
        let message: Message = rasn::ber::decode(report).ok()?;
        let parameters = security(&message)?;
        let [boots, time] = times(&parameters)?;
        let id = parameters.authoritative_engine_id.to_vec();
        if !(5..=32).contains(&id.len()) {
            return None;
        }
        let config = agent.config.users.iter().find(|u| u.name == user)?;
        Some(Self {
            user: keyed(config, &id)?,
            user_name: user.as_bytes().to_vec(),
            id,
            boots,
            time: (time, Instant::now()),
        })
    }

    /// The same engine with another clock.
    pub(in super::super) fn with_clock(&self, boots: u32, time: u32) -> Self {
        Self {
            boots,
            time: (time, Instant::now()),
            ..self.clone()
        }
    }

    /// An inform, as safe as the user's keys make it.
    pub(in super::super) fn wrap(
        &self,
        agent: &Agent,
        id: i32,
        context: &str,
        pdus: Pdus,
    ) -> Option<Vec<u8>> {
        let passed = self.time.1.elapsed().as_secs();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        let parcel = Parcel {
            message_id: Integer::from(id),
            clock: Clock {
                engine: &self.id,
                boots: self.boots,
                time: self.time.0.saturating_add(passed),
            },
            user_name: &self.user_name,
            user: &self.user,
            flags: self.user.level() | REPORTABLE,
            context_engine: &agent.engine.id,
            context: OctetString::from_slice(context.as_bytes()),
        };
        seal(agent, &parcel, pdus)
    }

    /// What an answer to [`Remote::wrap`] says; nothing where it cannot be
    /// believed.
    pub(in super::super) fn hear(&self, bytes: &[u8], id: i32) -> Option<Heard> {
        let message: Message = rasn::ber::decode(bytes).ok()?;
        let flags = *message.global_data.flags.first()?;
        let parameters = security(&message)?;
        let genuine = flags & AUTH != 0 && self.genuine(bytes);
        let scoped = match message.scoped_data {
            ScopedPduData::CleartextPdu(scoped) if flags & PRIV == 0 => scoped,
            ScopedPduData::EncryptedPdu(secret) if flags & PRIV != 0 => {
                opened(&secret, &parameters, &self.user)?
            }
            _ => return None,
        };
        let safe =
            (genuine || self.user.auth.is_none()) && flags & PRIV == self.user.level() & PRIV;
        self.word(scoped, &parameters, id, genuine, safe)
    }

    fn word(
        &self,
        scoped: ScopedPdu,
        parameters: &USMSecurityParameters,
        id: i32,
        genuine: bool,
        safe: bool,
    ) -> Option<Heard> {
        match scoped.data {
            Pdus::Response(response) if safe && response.0.request_id == id => {
                Some(Heard::Response)
            }
            Pdus::Report(report) => {
                let clock = object_id(&NOT_IN_TIME_WINDOW);
                let off = report.0.variable_bindings.iter().any(|b| b.name == clock);
                match (off, genuine) {
                    (true, true) => {
                        let [boots, time] = times(parameters)?;
                        Some(Heard::Clock(boots, time))
                    }
                    // Anybody could move the clock.
                    (true, false) => None,
                    (false, _) => Some(Heard::Refused),
                }
            }
            _ => None,
        }
    }

    /// It has the digest of the user at this engine.
    fn genuine(&self, bytes: &[u8]) -> bool {
        let Some((protocol, key)) = &self.user.auth else {
            return false;
        };
        let Some(place) = digest_place(bytes) else {
            return false;
        };
        let mut zeroed = bytes.to_vec();
        zeroed[place.clone()].fill(0);
        mac(*protocol, key, &zeroed) == bytes[place]
    }
}

fn security(message: &Message) -> Option<USMSecurityParameters> {
    rasn::ber::decode(&message.security_parameters).ok()
}
