//! The two forms of a trap: SNMPv2-Trap-PDU (RFC 3416, section 4.2.6) and the
//! Trap-PDU of SNMPv1, as RFC 3584, section 3.2, makes it of the other.

use std::net::{IpAddr, SocketAddr};

use rasn::types::{FixedOctetString, Integer, OctetString};
use rasn_smi::v1;
use rasn_smi::v2::{ApplicationSyntax, ObjectSyntax, SimpleSyntax};
use rasn_snmp::v2::{Pdu, Pdus, VarBind, VarBindValue};

use super::super::config::TrapSink;
use super::super::mib::{APC, below};
use super::super::value::{Value, bind, object_id, ticks};
use super::Trap;

const SYS_UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];
const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];
/// `generic-trap`: the enterprise has its own number for it.
const ENTERPRISE_SPECIFIC: u8 = 6;

/// PowerNet-MIB is written in SMIv1, so its traps get a zero before their
/// number (RFC 3584, section 3.1); UPS-MIB is not, and its traps do not.
fn name(trap: &Trap) -> Vec<u32> {
    match trap.enterprise == APC {
        true => below(&trap.enterprise, &[0, trap.number]),
        false => below(&trap.enterprise, &[trap.number]),
    }
}

/// The PDU of v2c and v3; `id` is its number.
pub(super) fn pdu(trap: &Trap, uptime: u64, id: i32) -> Pdu {
    let mut binds = vec![
        bind(&SYS_UPTIME, Value::Uptime.syntax(uptime)),
        bind(&SNMP_TRAP_OID, Value::Oid(name(trap)).syntax(uptime)),
    ];
    binds.extend(trap.binds.iter().cloned());
    Pdu {
        request_id: id,
        error_status: Pdu::ERROR_STATUS_NO_ERROR,
        error_index: 0,
        variable_bindings: binds,
    }
}

/// A message of v2c.
pub(super) fn by_community(sink: &TrapSink, data: Pdus) -> Option<Vec<u8>> {
    let message = rasn_snmp::v2c::Message {
        version: Integer::from(1u8),
        community: OctetString::from_slice(sink.community.as_bytes()),
        data,
    };
    rasn::ber::encode(&message).ok()
}

/// A message of v1.
pub(super) fn v1_form(
    trap: &Trap,
    sink: &TrapSink,
    uptime: u64,
    local: SocketAddr,
) -> Option<Vec<u8>> {
    let address = match local.ip() {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(_) => [0; 4],
    };
    let pdu = rasn_snmp::v1::Trap {
        enterprise: object_id(&trap.enterprise),
        agent_addr: v1::NetworkAddress::Internet(v1::IpAddress(FixedOctetString::from(address))),
        generic_trap: Integer::from(ENTERPRISE_SPECIFIC),
        specific_trap: Integer::from(trap.number),
        time_stamp: v1::TimeTicks(ticks(uptime)),
        variable_bindings: trap.binds.iter().filter_map(in_v1).collect(),
    };
    let message = rasn_snmp::v1::Message {
        version: Integer::from(0u8),
        community: OctetString::from_slice(sink.community.as_bytes()),
        data: pdu,
    };
    rasn::ber::encode(&message).ok()
}

fn in_v1(bind: &VarBind) -> Option<rasn_snmp::v1::VarBind> {
    let VarBindValue::Value(value) = &bind.value else {
        return None;
    };
    let value = match value {
        ObjectSyntax::Simple(simple) => v1::ObjectSyntax::Simple(match simple.clone() {
            SimpleSyntax::Integer(number) => v1::SimpleSyntax::Number(number),
            SimpleSyntax::String(text) => v1::SimpleSyntax::String(text),
            SimpleSyntax::ObjectId(oid) => v1::SimpleSyntax::Object(oid),
        }),
        ObjectSyntax::ApplicationWide(wide) => {
            v1::ObjectSyntax::ApplicationWide(match wide.clone() {
                ApplicationSyntax::Address(ip) => {
                    v1::ApplicationSyntax::Address(v1::NetworkAddress::Internet(ip))
                }
                ApplicationSyntax::Counter(counter) => v1::ApplicationSyntax::Counter(counter),
                ApplicationSyntax::Ticks(ticks) => v1::ApplicationSyntax::Ticks(ticks),
                ApplicationSyntax::Unsigned(gauge) => v1::ApplicationSyntax::Gauge(gauge),
                ApplicationSyntax::Arbitrary(_) | ApplicationSyntax::BigCounter(_) => return None,
            })
        }
    };
    Some(rasn_snmp::v1::VarBind {
        name: bind.name.clone(),
        value,
    })
}
