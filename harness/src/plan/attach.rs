//! A stack that is a Compose project: what is running becomes what is planned.

use ridethrough_targets::world::docker::{self, Member, Project};

use crate::playbook::{
    GuestDef, Loaded, NetworkDef, NodeDef, PlaybookErrors, Problem, StackSpec, WorldKind,
};

/// The label that names a container's rack.
const RACK: &str = "ridethrough.rack";
/// The label that names the port of a container's service.
const PORT: &str = "ridethrough.port";
/// The label of the service that clients talk to.
const ENTRY: &str = "ridethrough.entry";

/// Where a stack is a project that runs, with its containers as machines. A
/// resolved playbook knows them already: nobody is asked again.
///
/// # Errors
/// Where there is no such project, or it cannot be taken as it is.
pub fn attached(mut loaded: Loaded) -> Result<Loaded, PlaybookErrors> {
    let stack = &loaded.playbook.stack;
    let Some(name) = stack.compose.clone() else {
        return Ok(loaded);
    };
    if stack.network.is_some() {
        return Ok(loaded);
    }
    let world = *loaded.playbook.world.get_or_insert(WorldKind::Docker);
    if world != WorldKind::Docker {
        let problem = at(
            &loaded,
            "a Compose project runs in world `docker` alone".into(),
        );
        return Err(told(
            &loaded,
            problem.help("leave `world` out, or use `--world docker`"),
        ));
    }
    let project =
        docker::project(&name).map_err(|error| told(&loaded, at(&loaded, error.to_string())))?;
    let mut problems = Vec::new();
    complete(&mut loaded.playbook.stack, &project).unwrap_or_else(|homeless| {
        for node in homeless {
            let text = format!("container `{node}` of project `{name}` is in no rack");
            let hint = format!(
                "write `nodes: {{{node}: {{rack: ...}}}}`, or label it `{RACK}` in the project"
            );
            problems.push(at(&loaded, text).help(&hint));
        }
    });
    match PlaybookErrors::collect(problems, &loaded.sources) {
        Some(errors) => Err(errors),
        None => Ok(loaded),
    }
}

fn at(loaded: &Loaded, text: String) -> Problem {
    Problem::new(loaded.tree.place_of("stack.compose"), text, "this project")
}

fn told(loaded: &Loaded, problem: Problem) -> PlaybookErrors {
    PlaybookErrors::of(problem, &loaded.sources)
}

/// Fills a stack with a project's containers; names those that are in no rack.
fn complete(stack: &mut StackSpec, project: &Project) -> Result<(), Vec<String>> {
    let mut homeless = Vec::new();
    for member in &project.members {
        let Some(ip) = member.interfaces.first().map(|it| it.ip) else {
            continue;
        };
        let rack = member.labels.get(RACK);
        if !stack.nodes.contains_key(&member.node) {
            match rack {
                Some(rack) => {
                    let node = NodeDef::in_rack(rack);
                    stack.nodes.insert(member.node.clone(), node);
                }
                None => homeless.push(member.node.clone()),
            }
        }
        if let Some(node) = stack.nodes.get_mut(&member.node) {
            node.guest = Some(GuestDef {
                container: member.container.clone(),
                ip,
            });
        }
        serve(stack, member);
    }
    let home = entry_network(stack, project);
    stack.network = home.map(|network| NetworkDef {
        first: network.first,
        prefix: network.prefix,
        taken: project
            .networks
            .values()
            .flat_map(|network| network.taken.clone())
            .collect(),
    });
    match homeless.is_empty() {
        true => Ok(()),
        false => Err(homeless),
    }
}

/// The service that a container is one of.
fn serve(stack: &mut StackSpec, member: &Member) {
    let service = stack.services.entry(member.service.clone()).or_default();
    service.guest = true;
    if !service.on.contains(&member.node) {
        service.on.push(member.node.clone());
    }
    let label = member.labels.get(PORT).and_then(|port| port.parse().ok());
    let exposed = member.ports.first().copied();
    service.port = service.port.or(label).or(exposed);
    if stack.entry.is_none() && member.labels.get(ENTRY).is_some_and(|it| it == "true") {
        stack.entry = Some(member.service.clone());
    }
}

/// The first network of the service that clients talk to.
fn entry_network<'a>(stack: &StackSpec, project: &'a Project) -> Option<&'a docker::Network> {
    let entry = project
        .members
        .iter()
        .find(|member| Some(&member.service) == stack.entry.as_ref());
    let member = entry.or(project.members.first())?;
    project.networks.get(&member.interfaces.first()?.network)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use ridethrough_targets::world::docker::{Interface, Network};

    use super::*;

    fn member(node: &str, labels: &[(&str, &str)], ports: &[u16]) -> Member {
        Member {
            node: node.into(),
            service: node
                .trim_end_matches(|c: char| c == '-' || c.is_ascii_digit())
                .into(),
            container: format!("id-of-{node}"),
            labels: labels
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect(),
            ports: ports.to_vec(),
            interfaces: vec![Interface {
                network: "p_default".into(),
                ip: Ipv4Addr::new(172, 20, 0, 9),
                mac: [2, 0, 0, 0, 0, 9],
            }],
            restarts: false,
            pid: 1,
        }
    }

    fn project(members: Vec<Member>) -> Project {
        let network = Network {
            bridge: "br-0".into(),
            first: Ipv4Addr::new(172, 20, 0, 0),
            prefix: 16,
            taken: vec![Ipv4Addr::new(172, 20, 0, 9)],
        };
        Project {
            name: "p".into(),
            members,
            networks: BTreeMap::from([("p_default".to_string(), network)]),
        }
    }

    fn stack(yaml: &str) -> StackSpec {
        serde_yaml::from_str(yaml).unwrap()
    }

    #[test]
    fn labels_place_what_the_playbook_does_not() {
        let mut stack = stack("{name: s, compose: p, nodes: {gpu-2: {rack: r9}}}");
        let gpu = |node| member(node, &[(RACK, "r1")], &[8000]);
        let web = member("web", &[(RACK, "r2"), (ENTRY, "true"), (PORT, "81")], &[80]);
        complete(&mut stack, &project(vec![gpu("gpu-1"), gpu("gpu-2"), web])).unwrap();
        let rack = |node: &str| stack.nodes[node].rack.as_str();
        assert_eq!(
            (rack("gpu-1"), rack("gpu-2"), rack("web")),
            ("r1", "r9", "r2")
        );
        assert_eq!(stack.services["gpu"].on, ["gpu-1", "gpu-2"]);
        assert_eq!(stack.services["gpu"].port, Some(8000));
        assert_eq!(stack.services["web"].port, Some(81));
        assert_eq!(stack.entry.as_deref(), Some("web"));
        assert_eq!(stack.network.unwrap().prefix, 16);
    }

    #[test]
    fn a_container_in_no_rack_is_named() {
        let mut stack = stack("{name: s, compose: p}");
        let homeless = complete(&mut stack, &project(vec![member("web", &[], &[])]));
        assert_eq!(homeless.unwrap_err(), ["web"]);
    }
}
