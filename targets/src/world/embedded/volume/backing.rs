//! What a volume is made of here.

use std::path::{Path, PathBuf};

use crate::world::{Backing, WorldError};

/// Where mkfs is looked for: a user's PATH often leaves the last two out.
const MKFS_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The program that makes an ext4 file system.
pub(super) fn mkfs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MKFS_FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join("mkfs.ext4"))
        .find(|file| file.is_file())
}

/// Why there are no ext4 volumes, and how to get them.
pub(in super::super) fn ext4_missing(root: bool) -> Option<(String, &'static str)> {
    if !root {
        let what = "ext4 volumes need root".to_string();
        return Some((what, "run as root, or use `volume: {backing: fuse}`"));
    }
    if !Path::new("/dev/loop-control").exists() {
        let what = "no loop devices".to_string();
        let remedy = "`modprobe loop`; in a container, pass `--device /dev/loop-control` and \
            loop devices, or use `volume: {backing: fuse}`";
        return Some((what, remedy));
    }
    let remedy = "install the package `e2fsprogs`, or use `volume: {backing: fuse}`";
    mkfs()
        .is_none()
        .then(|| ("no `mkfs.ext4`".to_string(), remedy))
}

/// Why there are no FUSE volumes, and how to get them.
pub(in super::super) fn fuse_missing() -> Option<(String, &'static str)> {
    let refused = super::super::doctor::fuse().err()?;
    let what = format!("no FUSE ({})", refused.said());
    Some((what, super::super::refused::fuse_remedy(refused.errno)))
}

/// Ext4 where asked for or, as root, where it can be had; else FUSE.
pub(super) fn choose(asked: Backing, root: bool) -> Result<Backing, WorldError> {
    let ext4 = || ext4_missing(root);
    let missing = |(what, remedy): (String, &str)| WorldError::Missing {
        what,
        remedy: remedy.into(),
    };
    match asked {
        Backing::Ext4 => ext4().map_or(Ok(Backing::Ext4), |why| Err(missing(why))),
        Backing::Auto if ext4().is_none() => Ok(Backing::Ext4),
        Backing::Auto | Backing::Fuse => {
            fuse_missing().map_or(Ok(Backing::Fuse), |why| Err(missing(why)))
        }
    }
}
