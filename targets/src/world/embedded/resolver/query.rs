//! Questions and answers of DNS (RFC 1035, section 4), as far as a name server
//! for one table needs them.

use std::net::Ipv4Addr;

/// Response codes.
pub(super) const SERVFAIL: u8 = 2;
pub(super) const NXDOMAIN: u8 = 3;

const HEADER: usize = 12;
const TYPE_A: u16 = 1;
const CLASS_IN: u16 = 1;
/// Standard query, in the second byte's place of the flags; the first of them.
const OPCODE: u8 = 0x78;
const RESPONSE: u8 = 0x80;
const AUTHORITATIVE: u8 = 0x04;
const RECURSION_DESIRED: u8 = 0x01;
const RECURSION_AVAILABLE: u8 = 0x80;
/// A pointer to the name of the question.
const NAME_OF_QUESTION: [u8; 2] = [0xc0, HEADER as u8];
/// Nobody is to remember an answer: the next may be another.
const TTL_S: u32 = 0;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    id: [u8; 2],
    recursion: bool,
    /// In lower case, without a dot at the end.
    pub(super) name: String,
    /// The question as it was asked.
    question: Vec<u8>,
    kind: u16,
}

impl Query {
    /// Nothing where a message is no standard query with one question in the
    /// Internet's class.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let header = message.first_chunk::<HEADER>()?;
        let questions = u16::from_be_bytes([header[4], header[5]]);
        if header[2] & (RESPONSE | OPCODE) != 0 || questions != 1 {
            return None;
        }
        let mut labels: Vec<String> = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            // Longer ones are pointers, which a question does not need.
            if length > 63 || at - HEADER > 255 {
                return None;
            }
            let label = message.get(at..at + length)?;
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
            at += length;
        }
        let tail = message.get(at..at + 4)?;
        let word = |at: usize| u16::from_be_bytes([tail[at], tail[at + 1]]);
        if word(2) != CLASS_IN {
            return None;
        }
        Some(Self {
            id: [header[0], header[1]],
            recursion: header[2] & RECURSION_DESIRED != 0,
            name: labels.join("."),
            question: message[HEADER..at + 4].to_vec(),
            kind: word(0),
        })
    }

    fn response(&self, code: u8, answers: u16) -> Vec<u8> {
        let recursion = u8::from(self.recursion) * RECURSION_DESIRED;
        let mut bytes = self.id.to_vec();
        bytes.extend([
            RESPONSE | AUTHORITATIVE | recursion,
            RECURSION_AVAILABLE | code,
        ]);
        bytes.extend([0, 1]);
        bytes.extend(answers.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(&self.question);
        bytes
    }

    /// No answer, and why.
    pub(super) fn refused(&self, code: u8) -> Vec<u8> {
        self.response(code, 0)
    }

    /// The address; to questions for anything else the name has nothing.
    pub(super) fn answered(&self, ip: Ipv4Addr) -> Vec<u8> {
        if self.kind != TYPE_A {
            return self.response(0, 0);
        }
        let mut bytes = self.response(0, 1);
        bytes.extend(NAME_OF_QUESTION);
        bytes.extend(TYPE_A.to_be_bytes());
        bytes.extend(CLASS_IN.to_be_bytes());
        bytes.extend(TTL_S.to_be_bytes());
        bytes.extend(4_u16.to_be_bytes());
        bytes.extend(ip.octets());
        bytes
    }
}
