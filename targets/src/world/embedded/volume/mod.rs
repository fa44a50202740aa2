//! Volumes of nodes: mounted by each boot of a node in its own mount namespace,
//! so that the kernel takes the mounts away with the node.
//!
//! As root a volume is ext4 on a loop device; a power cut is the file system's
//! own shutdown, without a flush of its log, and the next boot's mount replays
//! that log. Otherwise, and for faults that ext4 cannot have, it is served by
//! the harness over FUSE from a [`Drive`](crate::disk::Drive) in memory. The
//! harness never opens a file of a volume that it serves: it would wait for
//! itself.

mod backing;
mod ext4;
mod fuse;
mod held;
mod look;
mod mount;

pub(super) use backing::ext4_missing;
pub(super) use held::Volumes;
pub(super) use look::{Look, look};
pub(super) use mount::mount_all;
