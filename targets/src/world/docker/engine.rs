//! The connection to the engine.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use bollard::models::SystemInfoCgroupDriverEnum;
use bollard::{API_DEFAULT_VERSION, Docker};

use crate::world::WorldError;

use super::apart::apart;

/// Where an engine listens unless `DOCKER_HOST` says otherwise.
const SOCKET: &str = "/var/run/docker.sock";

/// The oldest API that has what is needed: containers that share namespaces,
/// and waiting for their removal.
const OLDEST: (u32, u32) = (1, 41);

/// How long the engine may take to answer, in seconds.
const PATIENCE_S: u64 = 60;

/// An engine that answers.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) docker: Docker,
    /// Where it listens.
    pub(super) socket: PathBuf,
}

impl Engine {
    /// The engine of this machine.
    ///
    /// # Errors
    /// [`WorldError::Missing`] where there is none that can be used, with what to
    /// do.
    pub(super) async fn find() -> Result<Self, WorldError> {
        let engine = Self::at(&socket()?).await?;
        engine.check_version().await?;
        Ok(engine)
    }

    /// The engine that listens there.
    pub(super) async fn at(socket: &Path) -> Result<Self, WorldError> {
        let tried = tokio::net::UnixStream::connect(socket).await;
        tried.map_err(|error| no_engine(socket, &error))?;
        let path = socket.to_string_lossy();
        let docker = Docker::connect_with_unix(&path, PATIENCE_S, API_DEFAULT_VERSION);
        let docker = docker.map_err(said("reach the engine"))?;
        Ok(Self {
            docker,
            socket: socket.to_path_buf(),
        })
    }

    /// The group to put containers into: none of the engine's own, where it has
    /// a choice. All containers together would get as much of a busy machine's
    /// processors as one process outside of them does.
    pub(super) async fn group(&self) -> Result<Option<String>, WorldError> {
        let info = self.docker.info().await.map_err(said("ask the engine"))?;
        let driver = info.cgroup_driver;
        let of_files = driver == Some(SystemInfoCgroupDriverEnum::CGROUPFS);
        Ok(of_files.then(|| "/".to_string()))
    }

    async fn check_version(&self) -> Result<(), WorldError> {
        let version = self
            .docker
            .version()
            .await
            .map_err(said("ask the engine"))?;
        let spoken = version.api_version.unwrap_or_default();
        if is_enough(&spoken) {
            return Ok(());
        }
        Err(too_old(&self.socket, &spoken))
    }
}

/// Whether a docker world can be opened here.
///
/// # Errors
/// [`WorldError::Missing`] where not, with what to do.
pub fn available() -> Result<(), WorldError> {
    apart(|| async { Engine::find().await.map(drop) })
}

pub(super) fn is_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor) = (parts.next().flatten(), parts.next().flatten());
    major.zip(minor).is_some_and(|version| version >= OLDEST)
}

/// Where the engine listens, by `DOCKER_HOST` as its own tools read it.
pub(super) fn socket() -> Result<PathBuf, WorldError> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    match host.strip_prefix("unix://") {
        Some(path) => Ok(path.into()),
        None if host.is_empty() => Ok(SOCKET.into()),
        None => Err(WorldError::Missing {
            what: format!("DOCKER_HOST is {host}: nodes must be on this machine"),
            remedy: "unset DOCKER_HOST, or run ridethrough where that engine runs".into(),
        }),
    }
}

/// An engine from before what is needed.
pub(super) fn too_old(socket: &Path, version: &str) -> WorldError {
    let (major, minor) = OLDEST;
    let at = socket.display();
    WorldError::Missing {
        what: format!(
            "the Docker engine at {at} speaks API {version}, and {major}.{minor} is needed"
        ),
        remedy: "install Docker Engine 20.10 or newer, or use `--world embedded`".into(),
    }
}

/// Nobody answers there.
pub(super) fn no_engine(socket: &Path, error: &io::Error) -> WorldError {
    let at = socket.display();
    let (what, remedy) = match error.kind() {
        ErrorKind::NotFound => (
            format!("no Docker engine: {at} is not there"),
            "install and start one (`apt-get install docker.io`, `dockerd`), set DOCKER_HOST, or \
             use `--world embedded`",
        ),
        ErrorKind::PermissionDenied => (
            format!("this user may not use the Docker engine at {at}"),
            "run as root or join the group `docker`, or use `--world embedded`",
        ),
        _ => (
            format!("no Docker engine answers at {at} ({error})"),
            "start it (`systemctl start docker`, or `dockerd`), or use `--world embedded`",
        ),
    };
    WorldError::Missing {
        what,
        remedy: remedy.into(),
    }
}

/// Turns an engine's error into a world's.
pub(super) fn said(what: impl Into<String>) -> impl FnOnce(bollard::errors::Error) -> WorldError {
    let what = what.into();
    move |error| WorldError::Failed(format!("could not {what}: {}", plain(&error)))
}

/// What the engine said, without the client's words around it.
pub(super) fn plain(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// Whether the engine says that there is no such thing.
pub(super) fn is_absent(error: &bollard::errors::Error) -> bool {
    matches!(
        error,
        bollard::errors::Error::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_engines_are_told_from_new_ones() {
        for (version, enough) in [
            ("1.40", false),
            ("1.41", true),
            ("1.9", false),
            ("2.0", true),
            ("", false),
            ("new", false),
        ] {
            assert_eq!(is_enough(version), enough, "{version}");
        }
    }

    #[test]
    fn each_way_of_having_no_engine_is_told_apart() {
        let told = |kind| no_engine(Path::new("/run/x.sock"), &io::Error::from(kind)).to_string();
        insta::assert_snapshot!(
            [
                told(ErrorKind::NotFound),
                told(ErrorKind::PermissionDenied),
                told(ErrorKind::ConnectionRefused),
            ]
            .join("\n"),
            @r"
        no Docker engine: /run/x.sock is not there; install and start one (`apt-get install docker.io`, `dockerd`), set DOCKER_HOST, or use `--world embedded`
        this user may not use the Docker engine at /run/x.sock; run as root or join the group `docker`, or use `--world embedded`
        no Docker engine answers at /run/x.sock (connection refused); start it (`systemctl start docker`, or `dockerd`), or use `--world embedded`
        "
        );
    }

    #[tokio::test]
    async fn a_socket_where_nobody_listens_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let error = Engine::at(&socket).await.unwrap_err().to_string();
        assert!(error.contains("no Docker engine answers"), "{error}");
    }
}
