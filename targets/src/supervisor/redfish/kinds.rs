//! The schemas that the service's resources follow, and their versions.

use std::fmt::Write;

use super::messages::REGISTRIES;

/// Schemas and versions; a collection has none.
pub(super) const KINDS: &[(&str, &str)] = &[
    ("AccountService", "v1_15_1"),
    ("Battery", "v1_4_0"),
    ("BatteryCollection", ""),
    ("BatteryMetrics", "v1_1_0"),
    ("Chassis", "v1_25_0"),
    ("ChassisCollection", ""),
    ("Circuit", "v1_8_0"),
    ("CircuitCollection", ""),
    ("ComputerSystem", "v1_22_0"),
    ("ComputerSystemCollection", ""),
    ("Control", "v1_5_0"),
    ("EnvironmentMetrics", "v1_3_0"),
    ("Event", "v1_9_0"),
    ("EventDestination", "v1_14_1"),
    ("EventDestinationCollection", ""),
    ("EventService", "v1_10_2"),
    ("JsonSchemaFile", "v1_1_5"),
    ("JsonSchemaFileCollection", ""),
    ("Manager", "v1_19_1"),
    ("ManagerAccount", "v1_12_0"),
    ("ManagerAccountCollection", ""),
    ("ManagerCollection", ""),
    ("ManagerNetworkProtocol", "v1_10_0"),
    ("Message", "v1_2_0"),
    ("MessageRegistry", "v1_6_2"),
    ("MessageRegistryFile", "v1_1_3"),
    ("MessageRegistryFileCollection", ""),
    ("Outlet", "v1_4_4"),
    ("OutletCollection", ""),
    ("PowerDistribution", "v1_3_2"),
    ("PowerDistributionCollection", ""),
    ("PowerDistributionMetrics", "v1_3_2"),
    ("PowerEquipment", "v1_2_1"),
    ("PowerSubsystem", "v1_1_2"),
    ("PowerSupply", "v1_6_0"),
    ("PowerSupplyCollection", ""),
    ("PowerSupplyMetrics", "v1_1_1"),
    ("Role", "v1_3_2"),
    ("RoleCollection", ""),
    ("Sensor", "v1_9_1"),
    ("SensorCollection", ""),
    ("ServiceRoot", "v1_17_0"),
    ("Session", "v1_7_2"),
    ("SessionCollection", ""),
    ("SessionService", "v1_1_9"),
    ("ThermalMetrics", "v1_3_2"),
    ("ThermalSubsystem", "v1_3_2"),
];

/// The value of `@odata.type` for a schema.
pub(super) fn typed(kind: &str) -> String {
    match KINDS.iter().find(|(name, _)| *name == kind) {
        Some((_, version)) if !version.is_empty() => format!("#{kind}.{version}.{kind}"),
        _ => format!("#{kind}.{kind}"),
    }
}

/// The OData metadata document: which schemas, and where they are published.
pub(super) fn metadata() -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <edmx:Edmx xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\" Version=\"4.0\">\n",
    );
    let extensions = ("RedfishExtensions", "v1_0_0");
    for (kind, version) in KINDS.iter().chain([&extensions]) {
        let _ = writeln!(
            text,
            "  <edmx:Reference Uri=\"http://redfish.dmtf.org/schemas/v1/{kind}_v1.xml\">"
        );
        if *kind == extensions.0 {
            let _ = writeln!(
                text,
                "    <edmx:Include Namespace=\"{kind}.{version}\" Alias=\"Redfish\"/>"
            );
        } else {
            let _ = writeln!(text, "    <edmx:Include Namespace=\"{kind}\"/>");
            if !version.is_empty() {
                let _ = writeln!(text, "    <edmx:Include Namespace=\"{kind}.{version}\"/>");
            }
        }
        text.push_str("  </edmx:Reference>\n");
    }
    let root = typed("ServiceRoot");
    let root = root.trim_start_matches('#').trim_end_matches("ServiceRoot");
    let _ = write!(
        text,
        "  <edmx:DataServices>\n    \
         <Schema xmlns=\"http://docs.oasis-open.org/odata/ns/edm\" Namespace=\"Service\">\n      \
         <EntityContainer Name=\"Service\" Extends=\"{root}ServiceContainer\"/>\n    \
         </Schema>\n  </edmx:DataServices>\n</edmx:Edmx>\n"
    );
    text
}

/// The prefixes of the registries, as lists of the event service have them.
pub(super) fn prefixes() -> Vec<&'static str> {
    REGISTRIES.iter().map(|r| r.prefix).collect()
}
