//! What containers are made from.

use std::path::Path;

use bollard::models::{
    ContainerCreateBody, DeviceMapping, HostConfig, HostConfigLogConfig, Mount, MountType,
};

use crate::world::embedded::open::{BARE_HOSTS, RESOLV};
use crate::world::embedded::{MARKER, RUN_MARK};

use super::ground::Own;
use super::left::{JOURNAL, LABEL};

/// What a node's init does that containers may not by themselves: its network
/// device, its volumes, clock and boot id, and looking at other users' processes.
const CAPABILITIES: [&str; 4] = ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE", "SYS_TIME"];

/// Devices behind the first and the second of these.
const DEVICES: [&str; 2] = ["/dev/net/tun", "/dev/fuse"];

/// The container that is a node.
pub(super) struct Machine<'a> {
    pub(super) own: &'a Own,
    /// The container that it is a guest of.
    pub(super) beside: Option<&'a str>,
    pub(super) node: &'a str,
    /// Seen by the container at the same path.
    pub(super) shared: &'a Path,
    /// Where its init asks for its order.
    pub(super) orders: &'a Path,
    /// Marks its processes.
    pub(super) mark: &'a Path,
    /// Tells whether the run goes on.
    pub(super) journal: Option<&'a Path>,
}

/// How the engine is told of a node's container.
pub(super) fn machine(it: &Machine<'_>) -> ContainerCreateBody {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let devices = DEVICES.iter().filter(|device| Path::new(device).exists());
    let device = |path: &&str| DeviceMapping {
        path_on_host: Some(path.to_string()),
        path_in_container: Some(path.to_string()),
        cgroup_permissions: Some("rwm".into()),
    };
    let shared = text(it.shared);
    let there = it.beside.map(|container| format!("container:{container}"));
    let mut mounts = vec![bind(it.shared, &shared, false)];
    if there.is_none() {
        mounts.extend(names(it.shared));
    }
    ContainerCreateBody {
        image: Some(it.own.image.clone()),
        // A guest has that of its host.
        hostname: there.is_none().then(|| it.node.into()),
        // It makes its own. The engine's book of networks does not have it, and
        // has been seen to lock itself up when many leave it at once.
        network_disabled: Some(there.is_none()),
        cmd: Some(vec![MARKER.into(), "machine".into(), text(it.orders)]),
        env: Some(vec![format!("{RUN_MARK}={}", it.mark.display())]),
        labels: Some(labels(&it.own.run, it.node, it.journal)),
        host_config: Some(HostConfig {
            network_mode: Some(there.clone().unwrap_or_else(|| "none".into())),
            pid_mode: there,
            cgroup_parent: it.own.group.clone(),
            auto_remove: Some(true),
            cap_add: Some(CAPABILITIES.map(String::from).to_vec()),
            devices: Some(devices.map(device).collect()),
            security_opt: Some(vec![
                "seccomp=unconfined".into(),
                "apparmor=unconfined".into(),
            ]),
            log_config: Some(no_log()),
            mounts: Some(mounts),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// What everything of a run carries.
pub(super) fn labels<M: FromIterator<(String, String)>>(
    run: &str,
    node: &str,
    journal: Option<&Path>,
) -> M {
    let journal = journal.map(|path| (JOURNAL.to_string(), path.to_string_lossy().into_owned()));
    let pairs = [
        (LABEL.to_string(), run.to_string()),
        (format!("{LABEL}.node"), node.to_string()),
    ];
    pairs.into_iter().chain(journal).collect()
}

/// What leads a container's names to its node's init.
pub(super) fn names(shared: &Path) -> Vec<Mount> {
    let over = |file: &str, target: &str| bind(&shared.join(file), target, true);
    vec![
        over(BARE_HOSTS, "/etc/hosts"),
        over(RESOLV, "/etc/resolv.conf"),
    ]
}

/// Engines keep what containers say without a bound.
pub(super) fn no_log() -> HostConfigLogConfig {
    HostConfigLogConfig {
        typ: Some("none".into()),
        config: None,
    }
}

fn bind(source: &Path, target: &str, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.into()),
        read_only: Some(read_only),
        ..Mount::default()
    }
}
