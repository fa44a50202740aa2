//! What an agent is told: ports, communities, users, sinks of traps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// An SNMP agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnmpConfig {
    /// The UDP port it answers on.
    pub port: u16,
    /// The devices it serves, by name; empty means every UPS, transfer switch
    /// and PDU of the site.
    pub devices: Vec<String>,
    /// The community that may read; empty turns SNMPv1 and v2c reading off.
    pub read_community: String,
    /// The community that may read and set; empty turns setting off.
    pub write_community: String,
    /// `sysContact`, until a client sets it.
    pub contact: String,
    /// `sysLocation`, until a client sets it.
    pub location: String,
    /// The greatest message that it sends, in bytes (RFC 3417: at least 484).
    pub max_message: u16,
    /// `snmpEngineID` in hexadecimal digits; without it one is made of the
    /// first device's name.
    pub engine_id: Option<String>,
    /// `snmpEngineBoots`: how often this engine has started.
    pub engine_boots: u32,
    /// The users of SNMPv3.
    pub users: Vec<UsmUser>,
    /// Where traps go.
    pub traps: Vec<TrapSink>,
}

impl Default for SnmpConfig {
    fn default() -> Self {
        Self {
            port: 161,
            devices: Vec::new(),
            read_community: "public".into(),
            write_community: "private".into(),
            contact: String::new(),
            location: String::new(),
            max_message: 1_472,
            engine_id: None,
            engine_boots: 1,
            users: Vec::new(),
            traps: Vec::new(),
        }
    }
}

/// One receiver of traps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrapSink {
    /// Its name or address.
    pub host: String,
    /// Its UDP port.
    pub port: u16,
    /// The form of the traps.
    pub version: TrapVersion,
    /// The community in them, in v1 and v2c. The device's name is not added to
    /// it.
    pub community: String,
    /// The user of v3 that they are of, by name; the device is the context.
    pub user: String,
    /// They are informs (v2c and v3): sent again until they are answered.
    pub inform: bool,
    /// How long an inform waits for its answer.
    pub timeout: Span,
    /// How often an inform is sent again.
    pub retries: u8,
    /// Which traps it gets.
    pub mib: TrapMib,
}

impl Default for TrapSink {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 162,
            version: TrapVersion::V2c,
            community: "public".into(),
            user: String::new(),
            inform: false,
            timeout: Span::from_secs(1),
            retries: 5,
            mib: TrapMib::Both,
        }
    }
}

/// The form of a trap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrapVersion {
    /// Trap-PDU of RFC 1157, mapped as RFC 3584 says.
    V1,
    /// SNMPv2-Trap-PDU of RFC 3416.
    #[default]
    V2c,
    /// The same, of a user of SNMPv3, at the greatest level of security that
    /// the user has keys for.
    V3,
}

/// The MIB that traps are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrapMib {
    /// UPS-MIB, RFC 1628.
    Ups,
    /// PowerNet-MIB.
    Powernet,
    /// Both.
    #[default]
    Both,
}

/// A user of SNMPv3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UsmUser {
    /// The user's name.
    pub name: String,
    /// How messages are authenticated; without it they are not.
    pub auth: Option<AuthProtocol>,
    /// The password that the key is made of, at least eight characters.
    pub auth_password: String,
    /// How messages are encrypted; without it they are not.
    pub privacy: Option<PrivProtocol>,
    /// The password that the key is made of, at least eight characters.
    pub priv_password: String,
    /// May set values.
    pub write: bool,
}

/// How messages are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthProtocol {
    /// HMAC-MD5-96, RFC 3414.
    Md5,
    /// HMAC-SHA-96, RFC 3414.
    Sha1,
    /// HMAC-192-SHA-256, RFC 7860.
    Sha256,
}

/// How messages are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivProtocol {
    /// CFB128-AES-128, RFC 3826.
    Aes128,
}
