//! Mounting, as a node's init does it in its own mount namespace.

use std::fs::OpenOptions;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};

use super::super::kernel;
use super::super::message::{VolumeMeans, VolumeOrder};
use super::super::setup::Doing;

/// Mounts every volume, in order. Returns what the harness holds each by: the
/// root folder of an ext4, the device of a FUSE mount.
pub(in super::super) fn mount_all(orders: &[VolumeOrder]) -> Result<Vec<OwnedFd>, String> {
    orders.iter().map(one).collect()
}

fn one(order: &VolumeOrder) -> Result<OwnedFd, String> {
    let what = format!("mount the volume of `{}`", order.service);
    match &order.means {
        VolumeMeans::Ext4 { image } => ext4(image, &order.folder).doing(&what),
        VolumeMeans::Fuse => fuse(&order.folder).doing(&what),
    }
}

fn ext4(image: &Path, folder: &Path) -> std::io::Result<OwnedFd> {
    let (device, path) = kernel::attach_loop(image)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOATIME;
    let none: Option<&str> = None;
    mount(Some(&path), folder, Some("ext4"), flags, none)?;
    // From here on the mount alone keeps the device.
    drop(device);
    let root = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_DIRECTORY.bits())
        .open(folder)?;
    Ok(root.into())
}

fn fuse(folder: &Path) -> std::io::Result<OwnedFd> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/fuse")?;
    let options = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
        device.as_raw_fd()
    );
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(
        Some("ridethrough"),
        folder,
        Some("fuse"),
        flags,
        Some(&*options),
    )?;
    Ok(device.into())
}
