//! A Modbus TCP client that finds its way in a SunSpec map by the models'
//! numbers.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::frame::{MAX_READ, bytes, read};
use super::models::BASE;
use crate::net::{Io, Net, SocketOptions};

/// Registers of a whole map, at most.
const MAX_MAP: usize = 4_096;

/// A connection to a Modbus server.
pub struct ModbusClient {
    io: Box<dyn Io>,
    unit: u8,
    transaction: u16,
    wait: Duration,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ModbusError {
    /// The server answered with this exception code.
    #[error("refused with exception {0}")]
    Refused(u8),
    /// Nothing came in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The network failed, or the server closed the connection.
    #[error("network: {0}")]
    Io(#[from] io::Error),
    /// What came is no answer to what was asked.
    #[error("unexpected answer")]
    Unexpected,
}

/// A device's models: where each begins, and its registers from its number on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SunspecMap {
    models: BTreeMap<u16, (u16, Vec<u16>)>,
}

impl ModbusClient {
    /// Connects to a unit; `wait` bounds the connection and each request.
    ///
    /// # Errors
    /// The network's.
    pub async fn connect(
        net: &dyn Net,
        host: &str,
        port: u16,
        unit: u8,
        wait: Duration,
    ) -> Result<Self, ModbusError> {
        let options = SocketOptions {
            nodelay: true,
            ..SocketOptions::default()
        };
        let connected = timeout(wait, net.connect(host, port, options)).await;
        let conn = connected.map_err(|_| ModbusError::Timeout(wait))??;
        Ok(Self {
            io: conn.io,
            unit,
            transaction: 0,
            wait,
        })
    }

    /// Function 3: reads holding registers.
    ///
    /// # Errors
    /// A refusal, or the network's.
    pub async fn read(&mut self, at: u16, count: u16) -> Result<Vec<u16>, ModbusError> {
        let mut pdu = vec![3];
        pdu.extend(at.to_be_bytes());
        pdu.extend(count.to_be_bytes());
        let answer = self.request(&pdu).await?;
        let (bytes, registers) = answer.split_first().ok_or(ModbusError::Unexpected)?;
        if usize::from(*bytes) != registers.len() || registers.len() != usize::from(count) * 2 {
            return Err(ModbusError::Unexpected);
        }
        let pairs = registers.chunks_exact(2);
        Ok(pairs
            .map(|two| u16::from_be_bytes([two[0], two[1]]))
            .collect())
    }

    /// Function 16: writes holding registers.
    ///
    /// # Errors
    /// A refusal, or the network's.
    pub async fn write(&mut self, at: u16, values: &[u16]) -> Result<(), ModbusError> {
        let mut pdu = vec![16];
        pdu.extend(at.to_be_bytes());
        pdu.extend((values.len() as u16).to_be_bytes());
        pdu.push((values.len() * 2) as u8);
        pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
        self.request(&pdu).await.map(drop)
    }

    /// The device's whole SunSpec map.
    ///
    /// # Errors
    /// A refusal, the network's, or no such map.
    pub async fn map(&mut self) -> Result<SunspecMap, ModbusError> {
        if self.read(BASE, 2).await? != [0x5375, 0x6e53] {
            return Err(ModbusError::Unexpected);
        }
        let mut map = SunspecMap::default();
        let mut at = usize::from(BASE) + 2;
        while at < usize::from(BASE) + MAX_MAP {
            let head = self.read(at as u16, 2).await?;
            let (id, length) = (head[0], usize::from(head[1]));
            if id == 0xffff {
                return Ok(map);
            }
            let whole = length + 2;
            if whole > MAX_MAP {
                return Err(ModbusError::Unexpected);
            }
            let words = self.registers(at as u16, whole).await?;
            map.models.insert(id, (at as u16, words));
            at += whole;
        }
        Err(ModbusError::Unexpected)
    }

    /// Reads some models of a known map again.
    ///
    /// # Errors
    /// A refusal, or the network's.
    pub async fn refresh(
        &mut self,
        map: &mut SunspecMap,
        models: &[u16],
    ) -> Result<(), ModbusError> {
        for id in models {
            if let Some((at, words)) = map.models.get_mut(id) {
                *words = self.registers(*at, words.len()).await?;
            }
        }
        Ok(())
    }

    /// As many registers as there are, in as many requests as it takes.
    async fn registers(&mut self, at: u16, count: usize) -> Result<Vec<u16>, ModbusError> {
        let mut words = Vec::new();
        while words.len() < count {
            let next = (count - words.len()).min(usize::from(MAX_READ));
            words.extend(self.read(at + words.len() as u16, next as u16).await?);
        }
        Ok(words)
    }

    async fn request(&mut self, pdu: &[u8]) -> Result<Vec<u8>, ModbusError> {
        let wait = self.wait;
        let answered = timeout(wait, self.exchange(pdu)).await;
        answered.map_err(|_| ModbusError::Timeout(wait))?
    }

    async fn exchange(&mut self, pdu: &[u8]) -> Result<Vec<u8>, ModbusError> {
        self.transaction = self.transaction.wrapping_add(1);
        let bytes = bytes(self.transaction, self.unit, pdu);
        self.io.write_all(&bytes).await?;
        self.io.flush().await?;
        let mut io = (&mut self.io).take(260);
        let frame = read(&mut io).await?.ok_or(ModbusError::Unexpected)?;
        let (function, data) = frame.pdu.split_first().ok_or(ModbusError::Unexpected)?;
        if frame.transaction != self.transaction {
            return Err(ModbusError::Unexpected);
        }
        match (*function, data) {
            (f, data) if f == pdu[0] => Ok(data.to_vec()),
            (f, [code]) if f == pdu[0] | 0x80 => Err(ModbusError::Refused(*code)),
            _ => Err(ModbusError::Unexpected),
        }
    }
}

impl SunspecMap {
    /// The register of a model's point.
    pub fn address(&self, model: u16, point: u16) -> Option<u16> {
        let (at, words) = self.models.get(&model)?;
        (usize::from(point) < words.len()).then(|| at + point)
    }

    /// An unsigned point; nothing where it is not implemented.
    pub fn word(&self, model: u16, point: usize) -> Option<u16> {
        let word = *self.models.get(&model)?.1.get(point)?;
        (word != 0xffff).then_some(word)
    }

    /// A point of two registers.
    pub fn long(&self, model: u16, point: usize) -> Option<u32> {
        let words = &self.models.get(&model)?.1;
        let (high, low) = (*words.get(point)?, *words.get(point + 1)?);
        Some(u32::from(high) << 16 | u32::from(low))
    }

    /// An unsigned point in units of ten to the power that another point holds.
    pub fn unsigned(&self, model: u16, point: usize, scale: usize) -> Option<f64> {
        let value = f64::from(self.word(model, point)?);
        Some(value * 10f64.powi(i32::from(self.scale(model, scale)?)))
    }

    /// As [`SunspecMap::unsigned`], signed.
    pub fn signed(&self, model: u16, point: usize, scale: usize) -> Option<f64> {
        let word = *self.models.get(&model)?.1.get(point)? as i16;
        let power = i32::from(self.scale(model, scale)?);
        (word != i16::MIN).then(|| f64::from(word) * 10f64.powi(power))
    }

    fn scale(&self, model: u16, point: usize) -> Option<i16> {
        let word = *self.models.get(&model)?.1.get(point)? as i16;
        (-10..=10).contains(&word).then_some(word)
    }
}
