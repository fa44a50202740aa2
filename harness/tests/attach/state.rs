//! How a project is: what must be as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::project::{Project, engine};

/// A container, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) pid: String,
    started: String,
    pub(crate) running: String,
    address: String,
    policy: String,
}

/// A project and the cables of its containers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) containers: BTreeMap<String, Container>,
    /// How many cables each bridge has, and how each answers for the host.
    cables: Vec<(String, String, String)>,
    /// Devices of ours.
    ours: Vec<String>,
    /// Containers of runs.
    runs: Vec<String>,
}

impl State {
    pub(crate) fn of(project: &Project) -> Result<Self, String> {
        let mut containers = BTreeMap::new();
        for service in ["gateway", "gpu-1", "gpu-2"] {
            let form = "{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.State.Status}} \
                        {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} \
                        {{.HostConfig.RestartPolicy.Name}}";
            let text = engine(&["inspect", "-f", form, &project.container(service)])?;
            let part = |at| text.split(' ').nth(at).unwrap_or_default().to_string();
            let container = Container {
                id: part(0),
                pid: part(1),
                started: part(2),
                running: part(3),
                address: part(4),
                policy: part(5),
            };
            containers.insert(service.to_string(), container);
        }
        let net = Path::new("/sys/class/net");
        let mut names: Vec<String> = fs::read_dir(net)
            .map_err(|error| error.to_string())?
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let cables = names
            .iter()
            .filter(|name| name.starts_with("veth"))
            .map(|name| {
                let master = fs::read_link(net.join(name).join("master"));
                let master = master
                    .map(|path| path.display().to_string())
                    .unwrap_or_default();
                let hairpin = fs::read_to_string(net.join(name).join("brport/hairpin_mode"));
                let arp = fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{name}/arp_ignore"));
                (master, hairpin.unwrap_or_default(), arp.unwrap_or_default())
            });
        let mut cables: Vec<_> = cables.collect();
        cables.sort();
        let is_ours = |name: &&String| {
            name.strip_prefix("rt")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let form = "{{.Label \"ridethrough.journal\"}} {{.Names}}";
        let runs = engine(&[
            "ps",
            "-a",
            "--filter",
            "label=ridethrough.node",
            "--format",
            form,
        ])?;
        let folder = project.folder.path().display().to_string();
        let runs = runs.lines().filter(|line| line.starts_with(&folder));
        Ok(Self {
            containers,
            cables,
            ours: names.iter().filter(is_ours).cloned().collect(),
            runs: runs.map(str::to_string).collect(),
        })
    }

    /// As another, but for the processes of these services, whose power was cut.
    pub(crate) fn is_but_for(&self, other: &Self, rebooted: &[&str]) -> Result<(), String> {
        let without = |state: &Self| {
            let mut state = Self {
                containers: state.containers.clone(),
                cables: state.cables.clone(),
                ours: state.ours.clone(),
                runs: state.runs.clone(),
            };
            for service in rebooted {
                if let Some(container) = state.containers.get_mut(*service) {
                    container.pid = String::new();
                    container.started = String::new();
                }
            }
            state
        };
        let (before, now) = (without(self), without(other));
        match before == now {
            true => Ok(()),
            false => Err(format!("it was\n{before:#?}\nand is\n{now:#?}")),
        }
    }
}
