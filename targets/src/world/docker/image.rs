//! Images: the one that ridethrough makes of itself, and those of others.

use std::io;
use std::path::Path;

use bollard::models::ImageSummary;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::unfold;
use tokio::sync::mpsc;

use crate::world::WorldError;

use super::engine::{Engine, is_absent, said};
use super::left::LABEL;
use super::rootfs::{PROGRAM, Rootfs};

/// Under which name this program's own images are kept.
const NAME: &str = "ridethrough";

/// How many other images of this program stay.
const KEPT: usize = 6;

/// How many bytes go to the engine at a time.
const CHUNK: usize = 1 << 20;

/// The image of this program, made from nothing if the engine has none of this
/// very program; older ones are removed.
pub(super) async fn own(engine: &Engine, program: &Path) -> Result<String, WorldError> {
    let failed = |what: &str| {
        let what = what.to_string();
        |source| WorldError::System { what, source }
    };
    let path = program.to_path_buf();
    let read = move || {
        let rootfs = Rootfs::of(&path)?;
        let digest = rootfs.digest()?;
        io::Result::Ok((rootfs, digest))
    };
    let read = tokio::task::spawn_blocking(read).await;
    let (rootfs, digest) = read
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(failed("read this program"))?;
    let image = format!("{NAME}:{digest}");
    match engine.docker.inspect_image(&image).await {
        Ok(_) => return Ok(image),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(said("look for an image")(error)),
    }
    tracing::info!(%image, "making the image of this program");
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(NAME)
        .tag(&digest)
        .changes(vec![
            format!("LABEL {LABEL}=image"),
            format!("ENTRYPOINT [\"{PROGRAM}\"]"),
        ])
        .build();
    let (chunks, received) = mpsc::channel(4);
    let written = tokio::task::spawn_blocking(move || {
        let out = io::BufWriter::with_capacity(CHUNK, Chunks(chunks));
        rootfs.write(out)
    });
    let body = unfold(received, |mut received: mpsc::Receiver<Bytes>| async {
        let chunk = received.recv().await?;
        Some((chunk, received))
    });
    let made = engine
        .docker
        .create_image(Some(options), Some(bollard::body_stream(body)), None);
    let made: Result<Vec<_>, _> = made.try_collect().await;
    written
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(failed("write the image of this program"))?;
    made.map_err(said("make the image of this program"))?;
    forget_others(engine, &image).await;
    Ok(image)
}

/// Removes the images of older builds, but for the newest: other programs of
/// this workspace, and runs beside this one, have images of their own.
async fn forget_others(engine: &Engine, keep: &str) {
    let options = ListImagesOptionsBuilder::default()
        .filters(&[("label", vec![format!("{LABEL}=image")])].into())
        .build();
    let Ok(images) = engine.docker.list_images(Some(options)).await else {
        return;
    };
    for image in older(images, keep) {
        let options = None::<RemoveImageOptions>;
        // One that is in use stays.
        let _ = engine.docker.remove_image(&image, options, None).await;
    }
}

/// The images of this program that are none of the newest, by their ids.
fn older(images: Vec<ImageSummary>, keep: &str) -> Vec<String> {
    // Those that were built for services have other names.
    let is_own = |tag: &String| tag.starts_with(&format!("{NAME}:"));
    let mut own: Vec<ImageSummary> = images
        .into_iter()
        .filter(|image| image.repo_tags.iter().any(is_own))
        .filter(|image| image.repo_tags.iter().all(|tag| tag != keep))
        .collect();
    own.sort_by_key(|image| std::cmp::Reverse(image.created));
    own.into_iter().skip(KEPT).map(|image| image.id).collect()
}

/// Hands what is written on to a stream.
struct Chunks(mpsc::Sender<Bytes>);

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_images_and_those_of_services_are_kept() {
        let image = |tag: &str, created: i64| ImageSummary {
            id: format!("id of {tag}"),
            repo_tags: vec![tag.into()],
            created,
            ..ImageSummary::default()
        };
        let mut images: Vec<_> = (0..8)
            .map(|n| image(&format!("ridethrough:{n}"), n))
            .collect();
        images.push(image("ridethrough/stack/web:latest", 0));
        let forgotten = older(images, "ridethrough:0");
        assert_eq!(forgotten, ["id of ridethrough:1"]);
    }
}
