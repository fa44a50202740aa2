//! Modbus TCP frames (MODBUS Messaging on TCP/IP, 1.0b; MODBUS Application
//! Protocol, 1.1b3).
//!
//! tokio-modbus binds its server to tokio's own sockets; this one must also run
//! on a network in memory, and needs three functions.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Registers that one read may ask for.
pub(super) const MAX_READ: u16 = 125;
/// Registers that one write may carry.
pub(super) const MAX_WRITE: u16 = 123;
/// Bytes of a PDU.
const MAX_PDU: usize = 253;

/// A frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) transaction: u16,
    pub(super) unit: u8,
    pub(super) pdu: Vec<u8>,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Function 3.
    Read { at: u16, count: u16 },
    /// Functions 6 and 16.
    Write { at: u16, values: Vec<u16> },
}

/// Modbus exception codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exception {
    IllegalFunction = 1,
    IllegalAddress = 2,
    IllegalValue = 3,
    DeviceFailure = 4,
    TargetSilent = 11,
}

/// The next frame; `None` at the end of the stream or where what came is no
/// Modbus: a client that has lost its place cannot find it again.
pub(super) async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut head = [0; 7];
    match io.read_exact(&mut head).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (transaction, protocol, length) = (word(0), word(2), usize::from(word(4)));
    // The unit is the first byte that the length counts.
    if protocol != 0 || !(2..=MAX_PDU + 1).contains(&length) {
        return Ok(None);
    }
    let mut pdu = vec![0; length - 1];
    io.read_exact(&mut pdu).await?;
    Ok(Some(Frame {
        transaction,
        unit: head[6],
        pdu,
    }))
}

impl Frame {
    /// What it asks.
    pub(super) fn ask(&self) -> Result<Ask, Exception> {
        let Some((function, data)) = self.pdu.split_first() else {
            return Err(Exception::IllegalFunction);
        };
        let word = |at: usize| match data.get(at..at + 2) {
            Some(two) => Ok(u16::from_be_bytes([two[0], two[1]])),
            None => Err(Exception::IllegalValue),
        };
        match function {
            3 if data.len() == 4 => match word(2)? {
                count if (1..=MAX_READ).contains(&count) => Ok(Ask::Read {
                    at: word(0)?,
                    count,
                }),
                _ => Err(Exception::IllegalValue),
            },
            6 if data.len() == 4 => Ok(Ask::Write {
                at: word(0)?,
                values: vec![word(2)?],
            }),
            16 => {
                let (at, count) = (word(0)?, word(2)?);
                let bytes = usize::from(*data.get(4).ok_or(Exception::IllegalValue)?);
                let fits = bytes == usize::from(count) * 2 && data.len() == 5 + bytes;
                if !(1..=MAX_WRITE).contains(&count) || !fits {
                    return Err(Exception::IllegalValue);
                }
                let pairs = data[5..].chunks_exact(2);
                Ok(Ask::Write {
                    at,
                    values: pairs
                        .map(|two| u16::from_be_bytes([two[0], two[1]]))
                        .collect(),
                })
            }
            3 | 6 => Err(Exception::IllegalValue),
            _ => Err(Exception::IllegalFunction),
        }
    }

    /// The answer with these registers.
    pub(super) fn registers(&self, values: &[u16]) -> Vec<u8> {
        let mut pdu = vec![3, (values.len() * 2) as u8];
        pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
        self.answer(&pdu)
    }

    /// The answer to a write: its own first five bytes.
    pub(super) fn written(&self) -> Vec<u8> {
        self.answer(&self.pdu[..self.pdu.len().min(5)])
    }

    /// The answer that refuses it.
    pub(super) fn refusal(&self, why: Exception) -> Vec<u8> {
        let function = self.pdu.first().copied().unwrap_or(0) | 0x80;
        self.answer(&[function, why as u8])
    }

    fn answer(&self, pdu: &[u8]) -> Vec<u8> {
        bytes(self.transaction, self.unit, pdu)
    }
}

/// A frame on the wire.
pub(super) fn bytes(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(7 + pdu.len());
    bytes.extend(transaction.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend((pdu.len() as u16 + 1).to_be_bytes());
    bytes.push(unit);
    bytes.extend(pdu);
    bytes
}
