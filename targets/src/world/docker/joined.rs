//! Containers of images, which join the namespaces of a node's container.
//!
//! They share its network, so that they have the node's address and its one port
//! on the fabric, and its pid namespace, so that whatever happens to the node
//! happens to them: a hang stops them, a cut kills them with its pid 1.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::StartExecOptions;
use bollard::models::{ContainerCreateBody, ExecConfig, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, StartContainerOptions,
    UploadToContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::service::ServiceFile;
use crate::world::embedded::{RUN_MARK, kernel};
use crate::world::tail::tail;
use crate::world::{WorldError, WorldEvent};

use super::engine::{Engine, said};
use super::ground::Own;
use super::spec::{labels, names, no_log};

/// How long after a container's end it is looked whether its whole node ended.
const WHOLE: Duration = Duration::from_millis(500);

/// How long its log may go on after its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a program that runs beside a service is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A service that is an image.
pub(super) struct Joined<'a> {
    pub(super) own: &'a Own,
    pub(super) node: &'a str,
    pub(super) service: &'a str,
    /// The container that is the node.
    pub(super) machine: &'a str,
    pub(super) journal: Option<&'a Path>,
    /// Where the files are that every node sees.
    pub(super) shared: &'a Path,
    /// Marks its processes.
    pub(super) mark: &'a Path,
    pub(super) image: &'a str,
    pub(super) argv: Option<Vec<String>>,
    pub(super) env: &'a [(String, String)],
    pub(super) files: &'a [ServiceFile],
}

impl Joined<'_> {
    fn body(&self) -> ContainerCreateBody {
        let namespaces = format!("container:{}", self.machine);
        let env = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let mark = format!("{RUN_MARK}={}", self.mark.display());
        ContainerCreateBody {
            image: Some(self.image.into()),
            cmd: self.argv.clone(),
            env: Some(env.chain([mark]).collect()),
            labels: Some(labels(&self.own.run, self.node, self.journal)),
            host_config: Some(HostConfig {
                network_mode: Some(namespaces.clone()),
                pid_mode: Some(namespaces),
                cgroup_parent: self.own.group.clone(),
                auto_remove: Some(true),
                // What it says goes to the node's log, and nowhere else.
                log_config: Some(no_log()),
                // Else it sees what the engine has written for the node.
                mounts: Some(names(self.shared)),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }

    /// Makes the container, with its files; returns what it will say.
    pub(super) async fn make(&self, engine: &Engine, name: &str) -> Result<Output, WorldError> {
        let docker = &engine.docker;
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let made = docker.create_container(Some(options), self.body()).await;
        made.map_err(said(self.doing("make the container of")))?;
        if !self.files.is_empty() {
            let options = UploadToContainerOptionsBuilder::default().path("/").build();
            let archive = archive(self.files).map_err(|source| WorldError::System {
                what: self.doing("pack the files of"),
                source,
            })?;
            let body = bollard::body_full(Bytes::from(archive));
            let put = docker.upload_to_container(name, Some(options), body).await;
            put.map_err(said(self.doing("put the files of")))?;
        }
        let options = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = docker.attach_container(name, Some(options)).await;
        Ok(attached.map_err(said(self.doing("hear")))?.output)
    }

    pub(super) async fn start(&self, engine: &Engine, name: &str) -> Result<(), WorldError> {
        let started = engine
            .docker
            .start_container(name, None::<StartContainerOptions>);
        started.await.map_err(said(self.doing("start")))
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} service `{}` of node `{}`", self.service, self.node)
    }
}

/// What a container says, until its end.
pub(super) type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// Files as a tar archive, from the root.
fn archive(files: &[ServiceFile]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.text.len() as u64);
        header.set_mode(0o644);
        let path = file.path.trim_start_matches('/');
        tar.append_data(&mut header, path, file.text.as_bytes())?;
    }
    tar.into_inner()
}

/// A container that is watched.
pub(super) struct Watched {
    pub(super) engine: Engine,
    pub(super) container: String,
    pub(super) node: String,
    pub(super) service: String,
    /// The node's init.
    pub(super) init: Arc<OwnedFd>,
    pub(super) log: PathBuf,
}

impl Watched {
    /// Writes its log on, and tells of its end unless its node has ended, too.
    /// It must not have been started yet: one that ends at once is removed at
    /// once, and nobody could ask any more how it was.
    pub(super) fn watch(
        self,
        output: Output,
        events: mpsc::UnboundedSender<WorldEvent>,
    ) -> JoinHandle<()> {
        // Held for good, it would keep the run from ever ending.
        let events = events.downgrade();
        tokio::spawn(async move {
            let mut copied = JoinSet::new();
            let log = self.log.clone();
            copied.spawn(async move { copy_log(output, &log).await });
            let options = WaitContainerOptionsBuilder::default()
                .condition("next-exit")
                .build();
            let docker = &self.engine.docker;
            let ended = docker.wait_container(&self.container, Some(options));
            let how = match Box::pin(ended).next().await {
                Some(Ok(ended)) => format!("exit code {}", ended.status_code),
                Some(Err(Error::DockerContainerWaitError { code, .. })) => {
                    format!("exit code {code}")
                }
                Some(Err(_)) | None => "nobody knows how".to_string(),
            };
            let _ = timeout(LAST_WORDS, copied.join_next()).await;
            sleep(WHOLE).await;
            let Some(events) = events.upgrade() else {
                return;
            };
            if kernel::has_ended(self.init.as_fd()) {
                return;
            }
            let _ = events.send(WorldEvent::Exited {
                tail: tail(&self.log),
                node: self.node,
                service: self.service,
                how,
            });
        })
    }
}

async fn copy_log(mut output: Output, log: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(log)?;
    while let Some(Ok(said)) = output.next().await {
        let (LogOutput::StdErr { message }
        | LogOutput::StdOut { message }
        | LogOutput::StdIn { message }
        | LogOutput::Console { message }) = said;
        file.write_all(&message)?;
    }
    Ok(())
}

/// Runs a program in a container; whether it ended with exit code 0.
pub(super) async fn run_inside(
    engine: &Engine,
    container: &str,
    argv: &[String],
) -> Result<bool, WorldError> {
    let config = ExecConfig {
        cmd: Some(argv.to_vec()),
        ..ExecConfig::default()
    };
    let what = || format!("run {argv:?} in {container}");
    let made = engine.docker.create_exec(container, config).await;
    let id = made.map_err(said(what()))?.id;
    let detached = StartExecOptions {
        detach: true,
        ..StartExecOptions::default()
    };
    let started = engine.docker.start_exec(&id, Some(detached)).await;
    started.map_err(said(what()))?;
    loop {
        let state = engine
            .docker
            .inspect_exec(&id)
            .await
            .map_err(said(what()))?;
        if state.running != Some(true) {
            return Ok(state.exit_code == Some(0));
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_packed_from_the_root() {
        let file = ServiceFile {
            path: "/etc/some/thing.conf".into(),
            text: "a = 1\n".into(),
        };
        let bytes = archive(&[file]).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entries = archive.entries().unwrap();
        let entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap(), Path::new("etc/some/thing.conf"));
        assert_eq!(entry.size(), 6);
    }
}
