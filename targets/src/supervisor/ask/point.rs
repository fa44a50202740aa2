//! What a client of a protocol can read of a kind of device.

use serde_json::Value as Json;

use crate::telemetry::{Protocol, Reading};

/// Something that can be read, and where.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Its name in the device's reading.
    pub field: &'static str,
    /// The step that the protocol shows it in; 0 for words.
    pub step: f64,
    pub(super) wire: Wire,
}

/// Where it is on the wire. A value there is multiplied by `factor` to be in the
/// reading's unit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    /// A NUT variable.
    Nut { name: &'static str, factor: f64 },
    /// `ups.status`, as the reading's status.
    NutStatus,
    /// An object below 1.3.6.1.
    Snmp { oid: &'static [u32], factor: f64 },
    /// `upsOutputSource`, as the reading's status.
    SnmpSource,
    /// A point of a SunSpec model and its scale.
    Modbus {
        model: u16,
        point: usize,
        scale: usize,
        signed: bool,
        factor: f64,
    },
    /// 701 `DERMode`, as the reading's mode.
    ModbusMode,
    /// A number in a document below the device's, by JSON pointer.
    Redfish {
        path: &'static str,
        pointer: &'static str,
        factor: f64,
    },
    /// `PowerState` of a system.
    RedfishOn,
}

impl Point {
    /// Whether what was seen is this value, as far as the protocol can show it.
    pub fn shows(&self, seen: &Json, value: &Json) -> bool {
        match (seen.as_f64(), value.as_f64()) {
            (Some(seen), Some(value)) => {
                // A hair more than half a step: both are decimals.
                (seen - value).abs() <= self.step * 0.501 + 1e-6
            }
            _ => seen == value,
        }
    }

    /// Its value in a reading.
    pub fn of(&self, reading: &Reading) -> Option<Json> {
        let document = serde_json::to_value(reading).ok()?;
        let fields = document.as_object()?.values().next()?;
        fields.get(self.field).cloned()
    }
}

const fn nut(field: &'static str, name: &'static str, factor: f64, step: f64) -> Point {
    Point {
        field,
        step,
        wire: Wire::Nut { name, factor },
    }
}

const fn snmp(field: &'static str, oid: &'static [u32], factor: f64, step: f64) -> Point {
    Point {
        field,
        step,
        wire: Wire::Snmp { oid, factor },
    }
}

const fn redfish(
    field: &'static str,
    path: &'static str,
    pointer: &'static str,
    factor: f64,
) -> Point {
    Point {
        field,
        step: 0.002,
        wire: Wire::Redfish {
            path,
            pointer,
            factor,
        },
    }
}

const fn modbus(
    field: &'static str,
    (model, point, scale): (u16, usize, usize),
    signed: bool,
    factor: f64,
    step: f64,
) -> Point {
    Point {
        field,
        step,
        wire: Wire::Modbus {
            model,
            point,
            scale,
            signed,
            factor,
        },
    }
}

const UPS_NUT: [Point; 6] = [
    Point {
        field: "status",
        step: 0.0,
        wire: Wire::NutStatus,
    },
    nut("charge", "battery.charge", 0.01, 0.01),
    nut("runtime_s", "battery.runtime", 1.0, 1.0),
    nut("input_v", "input.voltage", 1.0, 0.1),
    nut("output_v", "output.voltage", 1.0, 0.1),
    nut("output_w", "ups.realpower", 1.0, 1.0),
];

const TRANSFER_NUT: [Point; 2] = [
    nut("output_v", "output.voltage", 1.0, 0.1),
    nut("output_w", "ups.realpower", 1.0, 1.0),
];

const PDU_NUT: [Point; 1] = [nut("v", "input.voltage", 1.0, 0.1)];

const GENERATOR_NUT: [Point; 3] = [
    nut("v", "output.voltage", 1.0, 0.1),
    nut("hz", "output.frequency", 1.0, 0.1),
    nut("w", "ups.realpower", 1.0, 1.0),
];

/// RFC 1628, below 1.3.6.1.
const UPS_SNMP: [Point; 4] = [
    Point {
        field: "status",
        step: 0.0,
        wire: Wire::SnmpSource,
    },
    snmp("charge", &[2, 1, 33, 1, 2, 4, 0], 0.01, 0.01),
    snmp("input_v", &[2, 1, 33, 1, 3, 3, 1, 3, 1], 1.0, 1.0),
    snmp("output_v", &[2, 1, 33, 1, 4, 4, 1, 2, 1], 1.0, 1.0),
];

/// PowerNet-MIB `atsOutputPhaseTable`.
const TRANSFER_SNMP: [Point; 1] = [snmp(
    "output_v",
    &[4, 1, 318, 1, 1, 8, 5, 4, 3, 1, 3, 1, 1, 1],
    1.0,
    1.0,
)];

const BESS_MODBUS: [Point; 6] = [
    Point {
        field: "mode",
        step: 0.0,
        wire: Wire::ModbusMode,
    },
    modbus("v", (701, 16, 114), false, 1.0, 0.1),
    modbus("w", (701, 10, 116), true, 1.0, 100.0),
    modbus("charge", (713, 4, 8), false, 0.01, 0.001),
    modbus("health", (713, 5, 8), false, 0.01, 0.001),
    modbus("dc_v", (802, 34, 58), false, 1.0, 0.1),
];

const BESS_REDFISH: [Point; 2] = [
    redfish(
        "w",
        "PowerEquipment/PowerShelves/{}/Sensors/Power",
        "/Reading",
        1.0,
    ),
    redfish(
        "v",
        "PowerEquipment/PowerShelves/{}/Sensors/Voltage",
        "/Reading",
        1.0,
    ),
];

const PDU_REDFISH: [Point; 3] = [
    redfish(
        "v",
        "PowerEquipment/RackPDUs/{}/Sensors/Voltage",
        "/Reading",
        1.0,
    ),
    redfish(
        "w",
        "PowerEquipment/RackPDUs/{}/Sensors/Power",
        "/Reading",
        1.0,
    ),
    redfish(
        "a",
        "PowerEquipment/RackPDUs/{}/Sensors/Current",
        "/Reading",
        1.0,
    ),
];

const TRANSFER_REDFISH: [Point; 2] = [
    redfish(
        "output_v",
        "PowerEquipment/TransferSwitches/{}/Sensors/Voltage",
        "/Reading",
        1.0,
    ),
    redfish(
        "output_w",
        "PowerEquipment/TransferSwitches/{}/Sensors/Power",
        "/Reading",
        1.0,
    ),
];

const SHELF_REDFISH: [Point; 1] = [redfish(
    "w",
    "PowerEquipment/PowerShelves/{}/Sensors/Power",
    "/Reading",
    1.0,
)];

const MACHINE_REDFISH: [Point; 1] = [Point {
    field: "on",
    step: 0.0,
    wire: Wire::RedfishOn,
}];

/// What can be read of a kind of device; nothing where the protocol does not
/// speak of it.
pub fn points(via: Protocol, kind: &str) -> &'static [Point] {
    match (via, kind) {
        (Protocol::Nut, "ups") => &UPS_NUT,
        (Protocol::Nut, "transfer") => &TRANSFER_NUT,
        (Protocol::Nut, "pdu") => &PDU_NUT,
        (Protocol::Nut, "generator") => &GENERATOR_NUT,
        (Protocol::Snmp, "ups") => &UPS_SNMP,
        (Protocol::Snmp, "transfer") => &TRANSFER_SNMP,
        (Protocol::Modbus, "bess") => &BESS_MODBUS,
        (Protocol::Redfish, "bess") => &BESS_REDFISH,
        (Protocol::Redfish, "pdu") => &PDU_REDFISH,
        (Protocol::Redfish, "transfer") => &TRANSFER_REDFISH,
        (Protocol::Redfish, "shelf") => &SHELF_REDFISH,
        (Protocol::Redfish, "machine") => &MACHINE_REDFISH,
        _ => &[],
    }
}
