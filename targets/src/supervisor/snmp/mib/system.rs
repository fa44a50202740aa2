//! The system group of SNMPv2-MIB, RFC 3418.

use super::super::set::Setter;
use super::super::table::Builder;
use super::super::value::Value;
use super::{APC, UPS_MIB, View, below};

pub(super) fn build(builder: &mut Builder, view: &View<'_>) {
    let identity = view.identity;
    let object_id = match identity.kind.as_str() {
        "transfer" => below(&APC, &[1, 3, 11]),
        "pdu" => below(&APC, &[1, 3, 4, 5]),
        _ => UPS_MIB.to_vec(),
    };
    let descr = format!(
        "{} {} {}",
        identity.model, identity.name, identity.description
    );
    builder.under(&[1, 3, 6, 1, 2, 1, 1]);
    builder.scalar(&[1], Value::Text(descr.trim_end().into()));
    builder.scalar(&[2], Value::Oid(object_id));
    builder.scalar(&[3], Value::Uptime);
    let own = view.own;
    builder.set(&[4], Setter::Contact, Value::Text(own.contact.clone()));
    builder.set(&[5], Setter::SysName, Value::Text(own.sys_name.clone()));
    builder.set(&[6], Setter::Location, Value::Text(own.location.clone()));
    // An application host that offers services at layers 4 and 7.
    builder.scalar(&[7], Value::Int(72));
}
