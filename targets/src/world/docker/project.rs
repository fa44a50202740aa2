//! A Docker Compose project that runs, as it is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bollard::models::{ContainerInspectResponse, EndpointSettings, RestartPolicyNameEnum};
use bollard::query_parameters::{
    InspectContainerOptions, InspectNetworkOptions, ListContainersOptionsBuilder,
};

use crate::world::WorldError;

use super::apart::apart;
use super::engine::{Engine, said};

/// The label of a project's containers, whose value is its name.
const PROJECT: &str = "com.docker.compose.project";
/// The label of the service that a container is one of.
const SERVICE: &str = "com.docker.compose.service";
/// The label of its number among the service's containers.
const NUMBER: &str = "com.docker.compose.container-number";

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its containers, by service and number.
    pub members: Vec<Member>,
    /// Its networks, by name.
    pub networks: BTreeMap<String, Network>,
}

/// A container of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name in a playbook: its service, with its number where the service has
    /// several containers.
    pub node: String,
    /// Its service.
    pub service: String,
    /// Its id.
    pub container: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Ports that it says it listens on.
    pub ports: Vec<u16>,
    /// Its cables.
    pub interfaces: Vec<Interface>,
    /// The engine starts it again when it ends by itself.
    pub restarts: bool,
    /// Its first process, by this host's number.
    pub pid: i32,
}

/// One cable of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The network.
    pub network: String,
    /// The container's address there.
    pub ip: Ipv4Addr,
    /// Its hardware address there.
    pub mac: [u8; 6],
}

/// A network of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its bridge.
    pub bridge: String,
    /// The first address of its subnet.
    pub first: Ipv4Addr,
    /// The length of its prefix.
    pub prefix: u8,
    /// Addresses of containers on it, whoever they belong to.
    pub taken: Vec<Ipv4Addr>,
}

/// Looks a project up.
///
/// # Errors
/// [`WorldError::Missing`] where there is no such project, or it cannot be taken
/// as it is, with what to do.
pub fn project(name: &str) -> Result<Project, WorldError> {
    apart(|| async { find(&Engine::find().await?, name).await })
}

pub(super) async fn find(engine: &Engine, name: &str) -> Result<Project, WorldError> {
    let found = containers(engine, &format!("{PROJECT}={name}")).await?;
    if found.is_empty() {
        let others = containers(engine, PROJECT).await?;
        return Err(none(name, &others));
    }
    let mut members = Vec::new();
    for found in &found {
        let options = None::<InspectContainerOptions>;
        let seen = engine.docker.inspect_container(found, options).await;
        members.push(member(seen.map_err(said("look at a container"))?, name)?);
    }
    number(&mut members);
    let mut networks = BTreeMap::new();
    for interface in members.iter().flat_map(|member| &member.interfaces) {
        if !networks.contains_key(&interface.network) {
            let network = network(engine, &interface.network).await?;
            networks.insert(interface.network.clone(), network);
        }
    }
    Ok(Project {
        name: name.to_string(),
        members,
        networks,
    })
}

/// Ids of containers that carry a label.
async fn containers(engine: &Engine, label: &str) -> Result<Vec<String>, WorldError> {
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&[("label", vec![label])].into())
        .build();
    let list = engine.docker.list_containers(Some(options)).await;
    let list = list.map_err(said("list containers"))?;
    let mut pairs: Vec<(String, String)> = list
        .into_iter()
        .filter_map(|it| {
            let labels = it.labels.unwrap_or_default();
            // One that runs a single command is no part of the service.
            let oneoff = labels.get("com.docker.compose.oneoff");
            if oneoff.is_some_and(|value| value == "True") {
                return None;
            }
            let project = labels.get(PROJECT).cloned().unwrap_or_default();
            let id = match label {
                PROJECT => project.clone(),
                _ => it.id?,
            };
            Some((project, id))
        })
        .collect();
    pairs.sort();
    pairs.dedup();
    Ok(pairs.into_iter().map(|(_, id)| id).collect())
}

fn none(name: &str, others: &[String]) -> WorldError {
    let there = match others {
        [] => "no project runs".to_string(),
        some => format!("there are {}", some.join(", ")),
    };
    WorldError::Missing {
        what: format!("no Compose project `{name}` runs in this engine; {there}"),
        remedy: "start it (`docker compose up -d`), or name another".into(),
    }
}

fn member(seen: ContainerInspectResponse, project: &str) -> Result<Member, WorldError> {
    let name = seen.name.unwrap_or_default();
    let name = name.trim_start_matches('/').to_string();
    let cannot = |what: String, remedy: &str| WorldError::Missing {
        what: format!("container {name} of project `{project}` {what}"),
        remedy: remedy.into(),
    };
    let state = seen.state.unwrap_or_default();
    if state.running != Some(true) || state.paused == Some(true) {
        let how = state.status.map(|status| status.to_string());
        let what = format!("is {}", how.unwrap_or_default());
        return Err(cannot(
            what,
            "start the whole project: `docker compose up -d`",
        ));
    }
    let host = seen.host_config.unwrap_or_default();
    let mode = host.network_mode.unwrap_or_default();
    if mode == "host" || mode == "none" || mode.starts_with("container:") {
        let what = format!("has `network_mode: {mode}`, so that it has no cable of its own");
        return Err(cannot(
            what,
            "give it a network of the project, or leave it out",
        ));
    }
    let config = seen.config.unwrap_or_default();
    let labels: BTreeMap<_, _> = config.labels.unwrap_or_default().into_iter().collect();
    let endpoints = seen.network_settings.and_then(|all| all.networks);
    let mut interfaces: Vec<Interface> = endpoints
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(network, endpoint)| interface(network, &endpoint))
        .collect();
    interfaces.sort_by(|a, b| a.network.cmp(&b.network));
    if interfaces.is_empty() {
        let what = "is on no network with IPv4".to_string();
        return Err(cannot(what, "give it a bridge network"));
    }
    let restarts = host.restart_policy.and_then(|policy| policy.name);
    let never = [
        None,
        Some(RestartPolicyNameEnum::EMPTY),
        Some(RestartPolicyNameEnum::NO),
    ];
    let mut ports: Vec<u16> = config
        .exposed_ports
        .unwrap_or_default()
        .iter()
        .filter_map(|port| port.strip_suffix("/tcp")?.parse().ok())
        .collect();
    ports.sort_unstable();
    Ok(Member {
        node: String::new(),
        service: labels.get(SERVICE).cloned().unwrap_or_default(),
        container: seen.id.unwrap_or_default(),
        labels,
        ports,
        interfaces,
        restarts: !never.contains(&restarts),
        pid: state
            .pid
            .and_then(|pid| i32::try_from(pid).ok())
            .unwrap_or(0),
    })
}

fn interface(network: String, endpoint: &EndpointSettings) -> Option<Interface> {
    Some(Interface {
        network,
        ip: endpoint.ip_address.as_ref()?.parse().ok()?,
        mac: mac(endpoint.mac_address.as_ref()?)?,
    })
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let parts: Option<Vec<u8>> = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    parts?.try_into().ok()
}

/// Names members after their services.
fn number(members: &mut [Member]) {
    let key = |member: &Member| {
        let number = member
            .labels
            .get(NUMBER)
            .and_then(|n| n.parse::<u32>().ok());
        (member.service.clone(), number.unwrap_or(1))
    };
    members.sort_by_key(key);
    let services: Vec<String> = members.iter().map(|m| m.service.clone()).collect();
    for member in members {
        let several = services.iter().filter(|s| **s == member.service).count() > 1;
        member.node = match several {
            true => format!("{}-{}", member.service, key(member).1),
            false => member.service.clone(),
        };
    }
}

async fn network(engine: &Engine, name: &str) -> Result<Network, WorldError> {
    let options = None::<InspectNetworkOptions>;
    let seen = engine.docker.inspect_network(name, options).await;
    let seen = seen.map_err(said(format!("look at network {name}")))?;
    let driver = seen.driver.unwrap_or_default();
    if driver != "bridge" {
        return Err(WorldError::Missing {
            what: format!("network {name} is a `{driver}` network"),
            remedy: "only bridge networks can be put on the fabric".into(),
        });
    }
    let own = seen.options.unwrap_or_default();
    let own = own.get("com.docker.network.bridge.name").cloned();
    let id = seen.id.unwrap_or_default();
    let configs = seen.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let subnet = configs.into_iter().find_map(|config| {
        let subnet = config.subnet?;
        let (first, prefix) = subnet.split_once('/')?;
        Some((first.parse().ok()?, prefix.parse().ok()?))
    });
    let (first, prefix) = subnet.ok_or_else(|| WorldError::Missing {
        what: format!("network {name} has no IPv4 subnet"),
        remedy: "give it one".into(),
    })?;
    let there = seen.containers.unwrap_or_default();
    let taken = there.into_values().filter_map(|container| {
        let address = container.ipv4_address?;
        address.split('/').next()?.parse().ok()
    });
    Ok(Network {
        bridge: own.unwrap_or_else(|| format!("br-{}", id.get(..12).unwrap_or(&id))),
        first,
        prefix,
        taken: taken.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(service: &str, number: &str) -> Member {
        Member {
            node: String::new(),
            service: service.into(),
            container: String::new(),
            labels: [(NUMBER.to_string(), number.to_string())].into(),
            ports: Vec::new(),
            interfaces: Vec::new(),
            restarts: false,
            pid: 0,
        }
    }

    #[test]
    fn only_services_with_several_containers_have_numbers() {
        let mut members = [member("web", "1"), member("gpu", "10"), member("gpu", "2")];
        number(&mut members);
        let names: Vec<&str> = members.iter().map(|m| m.node.as_str()).collect();
        assert_eq!(names, ["gpu-2", "gpu-10", "web"]);
    }

    #[test]
    fn hardware_addresses_are_read() {
        assert_eq!(mac("02:42:ac:12:00:0a"), Some([2, 0x42, 0xac, 0x12, 0, 10]));
        assert_eq!(mac("02:42:ac"), None);
        assert_eq!(mac("zz:42:ac:12:00:0a"), None);
    }
}
