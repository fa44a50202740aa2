//! By SNMPv2c.

use std::net::SocketAddr;

use rasn::types::{Integer, OctetString};
use rasn_smi::v2::{ApplicationSyntax, ObjectSyntax, SimpleSyntax};
use rasn_snmp::v2::{GetRequest, Pdu, Pdus, VarBind, VarBindValue};
use rasn_snmp::v2c::Message;
use serde_json::Value as Json;

use super::client::{Question, failed};
use super::point::{Point, Wire, points};
use crate::net::Net;
use crate::supervisor::snmp::object_id;
use crate::telemetry::{Protocol, Seen};

/// `upsOutputSource`, below 1.3.6.1.
const OUTPUT_SOURCE: &[u32] = &[2, 1, 33, 1, 4, 1, 0];
/// The greatest answer that is read.
const MAX_ANSWER: usize = 8_192;
const REQUEST: i32 = 1;

pub(super) async fn ask(net: &dyn Net, question: &Question) -> Seen {
    let points = points(Protocol::Snmp, &question.kind);
    let Some(ip) = net.resolve(&question.host) else {
        return Seen::Refused(format!("no address for {:?}", question.host));
    };
    let Some(request) = request(points, &question.device) else {
        return Seen::Refused("the request cannot be written".into());
    };
    let to = SocketAddr::from((ip, question.port));
    let exchanged = async {
        let socket = net.bind_udp(0).await?;
        socket.send_to(&request, to).await?;
        let mut buffer = vec![0; MAX_ANSWER];
        let (length, _) = socket.recv_from(&mut buffer).await?;
        buffer.truncate(length);
        Ok(buffer)
    };
    match exchanged.await {
        Ok(answer) => seen(points, &answer),
        Err(error) => failed(&error),
    }
}

fn oid(wire: &Wire) -> Option<Vec<u32>> {
    let below = match wire {
        Wire::Snmp { oid, .. } => oid,
        Wire::SnmpSource => OUTPUT_SOURCE,
        _ => return None,
    };
    Some([&[1, 3, 6, 1], below].concat())
}

fn request(points: &[Point], device: &str) -> Option<Vec<u8>> {
    let name = |point: &Point| {
        Some(VarBind {
            name: object_id(&oid(&point.wire)?),
            value: VarBindValue::Unspecified,
        })
    };
    let message = Message {
        version: Integer::from(1),
        community: OctetString::from(format!("public@{device}").into_bytes()),
        data: Pdus::GetRequest(GetRequest(Pdu {
            request_id: REQUEST,
            error_status: 0,
            error_index: 0,
            variable_bindings: points.iter().filter_map(name).collect(),
        })),
    };
    rasn::ber::encode(&message).ok()
}

fn seen(points: &[Point], answer: &[u8]) -> Seen {
    let Ok(message) = rasn::ber::decode::<Message<Pdus>>(answer) else {
        return Seen::Refused("what came is no SNMP".into());
    };
    let Pdus::Response(response) = message.data else {
        return Seen::Refused("what came is no response".into());
    };
    if response.0.error_status != 0 {
        return Seen::Refused(format!("error-status {}", response.0.error_status));
    }
    let binds = response.0.variable_bindings;
    let missing = |bind: &VarBind| matches!(bind.value, VarBindValue::NoSuchInstance);
    // A card that has lost its device measures nothing.
    if binds.iter().any(missing) {
        return Seen::Stale;
    }
    let values = points.iter().zip(&binds).filter_map(|(point, bind)| {
        let VarBindValue::Value(syntax) = &bind.value else {
            return None;
        };
        let value = value(&point.wire, number(syntax)?)?;
        Some((point.field.to_string(), value))
    });
    Seen::Values(values.collect())
}

fn number(syntax: &ObjectSyntax) -> Option<i64> {
    match syntax {
        ObjectSyntax::Simple(SimpleSyntax::Integer(number)) => i64::try_from(number.clone()).ok(),
        ObjectSyntax::ApplicationWide(ApplicationSyntax::Unsigned(gauge)) => {
            Some(i64::from(gauge.0))
        }
        _ => None,
    }
}

fn value(wire: &Wire, number: i64) -> Option<Json> {
    match *wire {
        Wire::Snmp { factor, .. } => Some((number as f64 * factor).into()),
        Wire::SnmpSource => {
            let status = match number {
                2 => "off",
                3 => "on_line",
                4 => "bypass",
                5 => "on_battery",
                6 => "boost",
                7 => "trim",
                _ => return None,
            };
            Some(status.into())
        }
        _ => None,
    }
}
