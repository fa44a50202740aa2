//! By Modbus, along the SunSpec map.

use std::time::Duration;

use super::client::{Question, failed};
use super::point::{Wire, points};
use crate::net::Net;
use crate::supervisor::sunspec::{ModbusClient, ModbusError, SunspecMap};
use crate::telemetry::{Protocol, Seen};

/// A card has one storage system, and that is its first unit.
const UNIT: u8 = 1;
/// "Gateway target device failed to respond".
const TARGET_SILENT: u8 = 11;

pub(super) async fn ask(net: &dyn Net, question: &Question, wait: Duration) -> Seen {
    match map(net, question, wait).await {
        Ok(map) => seen(&map, question),
        Err(ModbusError::Refused(TARGET_SILENT)) => Seen::Stale,
        Err(ModbusError::Timeout(_)) => Seen::Silent,
        Err(ModbusError::Io(error)) => failed(&error),
        Err(error) => Seen::Refused(error.to_string()),
    }
}

async fn map(
    net: &dyn Net,
    question: &Question,
    wait: Duration,
) -> Result<SunspecMap, ModbusError> {
    let (host, port) = (question.host.as_str(), question.port);
    let mut client = ModbusClient::connect(net, host, port, UNIT, wait).await?;
    client.map().await
}

fn seen(map: &SunspecMap, question: &Question) -> Seen {
    let value = |wire: &Wire| match *wire {
        Wire::Modbus {
            model,
            point,
            scale,
            signed,
            factor,
        } => {
            let number = match signed {
                true => map.signed(model, point, scale),
                false => map.unsigned(model, point, scale),
            };
            Some((number? * factor).into())
        }
        // Bit 1 is grid forming.
        Wire::ModbusMode => Some(match map.long(701, 8)? & 2 {
            0 => "following".into(),
            _ => "forming".into(),
        }),
        _ => None,
    };
    let points = points(Protocol::Modbus, &question.kind);
    let values = points
        .iter()
        .filter_map(|point| Some((point.field.to_string(), value(&point.wire)?)));
    Seen::Values(values.collect())
}
