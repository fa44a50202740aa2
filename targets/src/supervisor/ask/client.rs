//! One question to one device.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::{modbus, nut, redfish, snmp};
use crate::net::Net;
use crate::telemetry::{Protocol, Seen};

/// Whom to ask for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The agent's node.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The device.
    pub device: String,
    /// The kind of its readings, such as `ups`.
    pub kind: String,
    /// By which protocol.
    pub via: Protocol,
}

/// Asks, on a connection of its own, and waits no longer than `wait`.
pub async fn ask(net: &dyn Net, question: &Question, wait: Duration) -> Seen {
    let asked = async {
        match question.via {
            Protocol::Nut => nut::ask(net, question, wait).await,
            Protocol::Snmp => snmp::ask(net, question).await,
            Protocol::Modbus => modbus::ask(net, question, wait).await,
            Protocol::Redfish => redfish::ask(net, question).await,
            Protocol::Metrics => Seen::Refused("no client reads the metrics page".into()),
        }
    };
    timeout(wait, asked).await.unwrap_or(Seen::Silent)
}

/// What a failure of the network looks like to who asks.
pub(super) fn failed(error: &io::Error) -> Seen {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable => Seen::Silent,
        _ => Seen::Refused(error.to_string()),
    }
}
