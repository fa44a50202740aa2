//! Images of others: built, or pulled where the engine has none of the name.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bollard::models::{BuildInfo, CreateImageInfo};
use bollard::query_parameters::{BuildImageOptionsBuilder, CreateImageOptionsBuilder};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::service::{ImageBuild, Program};
use crate::world::WorldError;

use super::engine::{Engine, is_absent, plain, said};
use super::left::LABEL;

/// Says how far it is.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Sees to it that the engine has the image of every program that is one.
///
/// # Errors
/// [`WorldError::Missing`] where there is no engine, or where an image is neither
/// here nor to be had; [`WorldError::Failed`] with its last lines where one does
/// not build.
pub async fn fetch(
    programs: impl IntoIterator<Item = &Program>,
    tell: Tell<'_>,
) -> Result<(), WorldError> {
    let mut wanted: BTreeMap<&str, Option<&ImageBuild>> = BTreeMap::new();
    for program in programs {
        if let Program::Image { image, build, .. } = program {
            wanted.insert(image, build.as_ref());
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let engine = Engine::find().await?;
    for (image, how) in wanted {
        match how {
            Some(how) => build(&engine, image, how, tell).await?,
            None => pull(&engine, image, tell).await?,
        }
    }
    Ok(())
}

async fn pull(engine: &Engine, image: &str, tell: Tell<'_>) -> Result<(), WorldError> {
    match engine.docker.inspect_image(image).await {
        Ok(_) => return Ok(()),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(said(format!("look for image {image}"))(error)),
    }
    tell(&format!("pulling image {image}"));
    let tagged = image
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains(':'));
    let name = match tagged || image.contains('@') {
        true => image.to_string(),
        // Else the engine pulls every tag that there is.
        false => format!("{image}:latest"),
    };
    let options = CreateImageOptionsBuilder::default()
        .from_image(&name)
        .build();
    let mut steps = engine.docker.create_image(Some(options), None, None);
    let mut layers = Layers::default();
    while let Some(step) = steps.next().await {
        let step = step.map_err(|error| WorldError::Missing {
            what: format!(
                "image {image} is not here, and pulling it failed: {}",
                plain(&error)
            ),
            remedy: "pull or build it by hand, or mend the name in the stack".into(),
        })?;
        if let Some(line) = layers.take(step) {
            tell(&format!("pulling image {image}: {line}"));
        }
    }
    Ok(())
}

/// What has come of each layer, in bytes.
#[derive(Default)]
struct Layers {
    known: BTreeMap<String, (i64, i64)>,
    told: i64,
}

impl Layers {
    /// Takes a step; a line for every further tenth.
    fn take(&mut self, step: CreateImageInfo) -> Option<String> {
        let detail = step.progress_detail?;
        let (now, all) = (detail.current?, detail.total?);
        self.known.insert(step.id?, (now, all));
        let sum = |of: fn(&(i64, i64)) -> i64| self.known.values().map(of).sum::<i64>();
        let (now, all) = (sum(|layer| layer.0), sum(|layer| layer.1));
        let tenth = now * 10 / all.max(1);
        if tenth == self.told {
            return None;
        }
        self.told = tenth;
        let mega = |bytes: i64| bytes as f64 / 1e6;
        Some(format!("{:.1} of {:.1} MB", mega(now), mega(all)))
    }
}

async fn build(
    engine: &Engine,
    image: &str,
    how: &ImageBuild,
    tell: Tell<'_>,
) -> Result<(), WorldError> {
    tell(&format!(
        "building image {image} in {}",
        how.context.display()
    ));
    let context = how.context.clone();
    let packed = tokio::task::spawn_blocking(move || archive(&context)).await;
    let packed = packed.unwrap_or_else(|error| Err(io::Error::other(error)));
    let packed = packed.map_err(|source| WorldError::System {
        what: format!("read the folder {}", how.context.display()),
        source,
    })?;
    let recipe = how.dockerfile.as_deref().unwrap_or(Path::new("Dockerfile"));
    let options = BuildImageOptionsBuilder::default()
        .dockerfile(&recipe.to_string_lossy())
        .t(image)
        .rm(true)
        .labels(&[(LABEL, "image")].into())
        .build();
    let body = bollard::body_full(Bytes::from(packed));
    let mut steps = engine.docker.build_image(options, None, Some(body));
    let mut last = String::new();
    while let Some(step) = steps.next().await {
        match step {
            Ok(BuildInfo {
                stream: Some(text), ..
            }) => {
                let line = text.trim();
                if line.starts_with("Step ") {
                    tell(&format!("building image {image}: {line}"));
                }
                if !line.is_empty() {
                    last = line.to_string();
                }
            }
            Ok(_) => {}
            Err(error) => {
                let why = plain(&error);
                let text = format!("image {image} does not build: {why}\n{last}");
                return Err(WorldError::Failed(text.trim_end().into()));
            }
        }
    }
    Ok(())
}

fn archive(context: &Path) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all(".", context)?;
    tar.into_inner()
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    fn step(id: &str, current: i64, total: i64) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.into()),
            progress_detail: Some(ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..CreateImageInfo::default()
        }
    }

    #[test]
    fn a_pull_is_told_in_tenths_of_all_layers() {
        let mut layers = Layers::default();
        assert_eq!(layers.take(step("a", 0, 10_000_000)), None);
        let half = layers.take(step("a", 5_000_000, 10_000_000));
        assert_eq!(half.as_deref(), Some("5.0 of 10.0 MB"));
        assert_eq!(layers.take(step("a", 5_100_000, 10_000_000)), None);
        let both = layers.take(step("b", 0, 10_000_000));
        assert_eq!(both.as_deref(), Some("5.1 of 20.0 MB"));
        assert_eq!(layers.take(CreateImageInfo::default()), None);
    }
}
