//! Bringing containers of others back.

use std::path::Path;

use bollard::query_parameters::{InspectContainerOptions, StartContainerOptions};

use crate::world::WorldError;

use super::apart::apart;
use super::engine::{Engine, is_absent, said};

/// What brings a container back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revival {
    /// It was killed.
    Start,
    /// It was paused.
    Unpause,
}

/// Brings a container back in the engine that listens at a socket; false where
/// there was nothing to do.
///
/// # Errors
/// When it is not back.
pub fn revive(socket: &Path, container: &str, how: Revival) -> Result<bool, WorldError> {
    apart(|| async { bring_back(&Engine::at(socket).await?, container, how).await })
}

async fn bring_back(engine: &Engine, container: &str, how: Revival) -> Result<bool, WorldError> {
    let docker = &engine.docker;
    let seen = docker.inspect_container(container, None::<InspectContainerOptions>);
    let state = match seen.await {
        Ok(seen) => seen.state.unwrap_or_default(),
        // Its owner has removed it: nobody wants it back.
        Err(error) if is_absent(&error) => return Ok(false),
        Err(error) => return Err(said("look at a container")(error)),
    };
    match how {
        Revival::Start if state.running == Some(true) => return Ok(false),
        Revival::Start => {
            let started = docker.start_container(container, None::<StartContainerOptions>);
            started.await.map_err(said(format!("start {container}")))?;
        }
        Revival::Unpause if state.paused != Some(true) => return Ok(false),
        Revival::Unpause => {
            let resumed = docker.unpause_container(container).await;
            resumed.map_err(said(format!("unpause {container}")))?;
        }
    }
    Ok(true)
}
