//! Messages with a community (RFC 1157, RFC 1901), and what all versions have
//! in common.

use rasn::types::{Integer, OctetString};
use rasn_snmp::v2::{Pdu, Pdus, Response, VarBind};
use rasn_snmp::v2c::Message;

use super::agent::Agent;
use super::query::{Scope, Version, too_big};
use super::set::set;
use super::usm;

/// The greatest message that is read.
pub(super) const MAX_REQUEST: usize = 65_507;

/// A request that has been understood and may be answered.
pub(super) struct Request {
    /// The device that it is about.
    pub(super) device: String,
    pub(super) pdus: Pdus,
    pub(super) version: Version,
    pub(super) max_message: usize,
    pub(super) reply: Reply,
}

/// How an answer is wrapped.
pub(super) enum Reply {
    Community { version: Integer, name: OctetString },
    Usm(Box<usm::Security>),
}

impl Reply {
    /// Bytes of an answer that are not its variables, at most.
    fn overhead(&self) -> usize {
        match self {
            Self::Community { name, .. } => 50 + name.len(),
            Self::Usm(_) => usm::OVERHEAD,
        }
    }
}

/// What to do with a message.
pub(super) enum Step {
    /// Nothing: it is not for us, or nobody we know sent it.
    Drop,
    /// Answer with these bytes: a report of SNMPv3.
    Send(Vec<u8>),
    /// Answer this.
    Answer(Request),
}

/// Understands a message.
pub(super) fn receive(agent: &Agent, bytes: &[u8]) -> Step {
    if agent.mute() {
        return Step::Drop;
    }
    match version(bytes) {
        Some(0) => community(agent, bytes, Version::V1).map_or(Step::Drop, Step::Answer),
        Some(1) => community(agent, bytes, Version::V2).map_or(Step::Drop, Step::Answer),
        Some(3) => usm::receive(agent, bytes),
        _ => Step::Drop,
    }
}

/// The version, which every message begins with.
fn version(bytes: &[u8]) -> Option<u8> {
    let mut message = usm::Tlv::new(bytes).enter(0x30)?;
    match message.take(0x02)? {
        [version] => Some(*version),
        _ => None,
    }
}

fn community(agent: &Agent, bytes: &[u8], version: Version) -> Option<Request> {
    let message: Message<Pdus> = rasn::ber::decode(bytes).ok()?;
    let community = std::str::from_utf8(&message.community).ok()?;
    let (community, device) = community.split_once('@').unwrap_or((community, ""));
    let config = &agent.config;
    let is = |word: &str| !word.is_empty() && word == community;
    let may_write = is(&config.write_community);
    if !may_write && !is(&config.read_community) {
        return None;
    }
    let allowed = match &message.data {
        Pdus::GetRequest(_) | Pdus::GetNextRequest(_) => true,
        Pdus::GetBulkRequest(_) => version == Version::V2,
        // A reader that sets is answered: it is refused, not unknown.
        Pdus::SetRequest(_) => true,
        _ => false,
    };
    if !allowed {
        return None;
    }
    let mut pdus = message.data;
    if !may_write {
        pdus = without_write(pdus);
    }
    Some(Request {
        device: agent.select(device)?,
        pdus,
        version,
        max_message: usize::from(config.max_message),
        reply: Reply::Community {
            version: message.version,
            name: message.community,
        },
    })
}

/// A SET by somebody who may only read becomes the refusal of its first
/// variable.
pub(super) fn without_write(pdus: Pdus) -> Pdus {
    match pdus {
        Pdus::SetRequest(set) => Pdus::Response(Response(Pdu {
            error_status: Pdu::ERROR_STATUS_NO_ACCESS,
            error_index: 1,
            ..set.0
        })),
        other => other,
    }
}

impl Request {
    /// Whether its answer takes time: a device must be told what to do.
    pub(super) fn sets(&self) -> bool {
        matches!(self.pdus, Pdus::SetRequest(_))
    }

    /// The answer; nothing where the agent must stay silent.
    pub(super) async fn answer(self, agent: &Agent) -> Option<Vec<u8>> {
        let pdu = match &self.pdus {
            Pdus::SetRequest(request) => set(agent, &self.device, &request.0, self.version).await?,
            _ => return self.answer_now(agent),
        };
        self.wrap(agent, pdu)
    }

    /// The answer to what only reads.
    pub(super) fn answer_now(self, agent: &Agent) -> Option<Vec<u8>> {
        let table = agent.look(&self.device)?;
        let scope = Scope {
            table: &table,
            uptime: agent.uptime(),
            version: self.version,
            room: self.max_message.saturating_sub(self.reply.overhead()),
        };
        let pdu = match &self.pdus {
            Pdus::GetRequest(request) => scope.get(&request.0),
            Pdus::GetNextRequest(request) => scope.get_next(&request.0),
            Pdus::GetBulkRequest(request) => scope.get_bulk(&request.0),
            // Refused before.
            Pdus::Response(refusal) => match self.version {
                Version::V2 => refusal.0.clone(),
                Version::V1 => Pdu {
                    error_status: Pdu::ERROR_STATUS_NO_SUCH_NAME,
                    ..refusal.0.clone()
                },
            },
            _ => return None,
        };
        self.wrap(agent, pdu)
    }

    fn wrap(&self, agent: &Agent, pdu: Pdu) -> Option<Vec<u8>> {
        let request_id = pdu.request_id;
        let bytes = self.encode(agent, pdu)?;
        if bytes.len() <= self.max_message {
            return Some(bytes);
        }
        let pdu = too_big(self.version, request_id, self.asked());
        self.encode(agent, pdu)
    }

    fn asked(&self) -> &[VarBind] {
        match &self.pdus {
            Pdus::GetRequest(request) => &request.0.variable_bindings,
            Pdus::GetNextRequest(request) => &request.0.variable_bindings,
            Pdus::SetRequest(request) => &request.0.variable_bindings,
            _ => &[],
        }
    }

    fn encode(&self, agent: &Agent, pdu: Pdu) -> Option<Vec<u8>> {
        let response = Response(pdu);
        match &self.reply {
            Reply::Community { version, name } => {
                let message = Message {
                    version: version.clone(),
                    community: name.clone(),
                    data: response,
                };
                rasn::ber::encode(&message).ok()
            }
            Reply::Usm(security) => security.respond(agent, Pdus::Response(response)),
        }
    }
}
