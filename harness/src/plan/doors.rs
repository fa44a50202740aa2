//! What must answer before the clients start, and how it is asked.

use serde::{Deserialize, Serialize};

use ridethrough_targets::units::Span;

use crate::playbook::{HealthSpec, ServiceDef, StackSpec};

use super::machines::port;

/// Something that is asked from the clients' side of the fabric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The machine.
    pub host: String,
    /// The port that must accept connections.
    pub port: u16,
    /// A path that must be answered there with a status below 400.
    #[serde(default)]
    pub http: Option<String>,
    /// Time between two tries.
    pub interval: Span,
    /// How long a try may take.
    pub timeout: Span,
}

/// Something that is looked at on the machine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) node: String,
    pub(crate) service: String,
    pub(crate) way: Way,
    pub(crate) interval: Span,
    pub(crate) timeout: Span,
}

/// How.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A program that ends well beside the service.
    Command(Vec<String>),
    /// A text in a line of the machine's log.
    Log(String),
}

const INTERVAL: Span = Span::from_millis(20);
const TIMEOUT: Span = Span::from_millis(500);

/// The entry, and every service of others that has a port. Built-in services say
/// themselves when they are ready.
pub(crate) fn doors(stack: &StackSpec, entry: &(String, u16)) -> Vec<Door> {
    let plain = |host: &String, port: u16| Door {
        host: host.clone(),
        port,
        http: None,
        interval: INTERVAL,
        timeout: TIMEOUT,
    };
    let mut doors = Vec::new();
    for service in stack.services.values().filter(|s| s.is_foreign()) {
        for host in &service.on {
            let ports = port(service)
                .into_iter()
                .chain(service.ports.iter().copied());
            doors.extend(ports.map(|port| asked(service, plain(host, port))));
            let tcp = service.health.as_ref().and_then(|health| health.tcp);
            let new = tcp.filter(|tcp| !doors.iter().any(|d| d.host == *host && d.port == *tcp));
            doors.extend(new.map(|port| plain(host, port)));
        }
    }
    if !doors
        .iter()
        .any(|d| (&d.host, d.port) == (&entry.0, entry.1))
    {
        doors.insert(0, plain(&entry.0, entry.1));
    }
    doors
}

/// With what the service's health says of this port.
fn asked(service: &ServiceDef, door: Door) -> Door {
    let main = service.port == Some(door.port);
    match &service.health {
        Some(health) if main && health.http.is_some() => Door {
            http: health.http.clone(),
            interval: health.interval,
            timeout: health.timeout,
            ..door
        },
        _ => door,
    }
}

/// What is looked at on the machines themselves.
pub(crate) fn looks(stack: &StackSpec) -> Vec<Look> {
    let all = stack.services.iter().filter_map(|(name, service)| {
        let health = service.health.as_ref()?;
        Some((name, service, health, way(health)?))
    });
    all.flat_map(|(name, service, health, way)| {
        service.on.iter().map(move |node| Look {
            node: node.clone(),
            service: name.clone(),
            way: way.clone(),
            interval: health.interval,
            timeout: health.timeout,
        })
    })
    .collect()
}

fn way(health: &HealthSpec) -> Option<Way> {
    let command = health.command.clone().map(Way::Command);
    command.or_else(|| health.log.clone().map(Way::Log))
}
