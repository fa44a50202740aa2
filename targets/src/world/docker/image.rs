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

/// How many images of other builds are kept: several may be at work by turns.
const KEPT: usize = 4;

/// How many bytes go to the engine at a time.
const CHUNK: usize = 1 << 20;

/// The image of this program, made from nothing if the engine has none of this
/// very program; the oldest others are removed.
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

/// Removes the oldest images of other builds. One that is in use stays.
async fn forget_others(engine: &Engine, keep: &str) {
    let options = ListImagesOptionsBuilder::default()
        .filters(&[("label", vec![format!("{LABEL}=image")])].into())
        .build();
    let Ok(images) = engine.docker.list_images(Some(options)).await else {
        return;
    };
    let is_kept = |image: &ImageSummary| image.repo_tags.iter().any(|tag| tag == keep);
    let mut others: Vec<_> = images.iter().filter(|image| !is_kept(image)).collect();
    others.sort_by_key(|image| std::cmp::Reverse(image.created));
    for image in others.into_iter().skip(KEPT) {
        let options = None::<RemoveImageOptions>;
        // Two runs of two builds may go on beside each other.
        let _ = engine.docker.remove_image(&image.id, options, None).await;
    }
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
