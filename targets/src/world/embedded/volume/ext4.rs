//! An ext4 file system in a file of the run folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, OFlag, fallocate, openat};
use nix::sys::stat::{Mode, fstat, major, minor};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::super::kernel;
use super::backing::mkfs;
use crate::disk::{DiskFault, DiskFaultId};
use crate::world::WorldError;

/// The file that fills a volume up. No list shows it.
const HOG: &str = ".ridethrough-full";

/// The major number of loop devices (`Documentation/admin-guide/devices.txt`).
const LOOP_MAJOR: u64 = 7;

/// How long a loop device may take to let go of its file.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);
const RELEASE_LOOK: Duration = Duration::from_millis(2);

/// The volume, and the harness's hold on it while it is mounted.
#[derive(Debug)]
pub(super) struct Ext4 {
    pub(super) image: PathBuf,
    /// Its root folder: keeps the file system alive when the node is dead.
    root: Option<OwnedFd>,
    faults: BTreeMap<DiskFaultId, DiskFault>,
    last: u64,
}

impl Ext4 {
    /// Makes the file system. Blocks.
    pub(super) fn make(image: &Path, bytes: u64) -> io::Result<Self> {
        File::create(image)?.set_len(bytes)?;
        let mkfs = mkfs().ok_or(io::ErrorKind::NotFound)?;
        // No block is for root alone, and nothing is left for later.
        let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
        let made = Command::new(mkfs)
            .args(["-q", "-F", "-m", "0", "-E", options])
            .arg(image)
            .stdin(Stdio::null())
            .output()?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).trim().to_string();
            return Err(io::Error::other(said));
        }
        Ok(Self {
            image: image.into(),
            root: None,
            faults: BTreeMap::new(),
            last: 0,
        })
    }

    /// A boot has mounted it.
    pub(super) fn mounted(&mut self, root: OwnedFd) -> io::Result<()> {
        // Left by a boot before this one.
        mend_full(&root)?;
        if self.faults.values().any(|f| *f == DiskFault::Full) {
            fill(&root)?;
        }
        self.root = Some(root);
        Ok(())
    }

    pub(super) fn fail(&mut self, fault: DiskFault) -> Result<DiskFaultId, WorldError> {
        if fault != DiskFault::Full {
            return Err(WorldError::Failed(
                "an ext4 volume can be full, and fail in no other way: use \
                 `volume: {backing: fuse}`"
                    .into(),
            ));
        }
        if let Some(root) = &self.root {
            let filled = fill(root).map_err(system("fill an ext4 volume"));
            if let Err(error) = filled {
                let _ = mend_full(root);
                return Err(error);
            }
        }
        self.last += 1;
        let id = DiskFaultId(self.last);
        self.faults.insert(id, fault);
        Ok(id)
    }

    pub(super) fn mend(&mut self, id: DiskFaultId) -> Result<(), WorldError> {
        self.faults.remove(&id);
        if let (Some(root), true) = (&self.root, self.faults.is_empty()) {
            mend_full(root).map_err(system("free an ext4 volume"))?;
        }
        Ok(())
    }

    /// The power is gone and every process dead: the file system stops as it
    /// stands, and lets go of its device.
    pub(super) async fn cut(&mut self) -> Result<(), WorldError> {
        let Some(root) = self.root.take() else {
            return Ok(());
        };
        kernel::shut_down(root.as_fd()).map_err(system("shut an ext4 volume down"))?;
        let device = device_of(&root).map_err(system("find a volume's loop device"))?;
        drop(root);
        let until = tokio::time::Instant::now() + RELEASE_LIMIT;
        while backs(&device, &self.image) {
            if tokio::time::Instant::now() > until {
                let text = format!("{device} still holds {} after 5 s", self.image.display());
                return Err(WorldError::Failed(text));
            }
            tokio::time::sleep(RELEASE_LOOK).await;
        }
        Ok(())
    }
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> WorldError {
    super::super::open::system(what)
}

/// The loop device under a mounted folder, such as `loop3`.
fn device_of(root: &OwnedFd) -> io::Result<String> {
    let device = fstat(root)?.st_dev;
    match major(device) {
        LOOP_MAJOR => Ok(format!("loop{}", minor(device))),
        other => Err(io::Error::other(format!(
            "device {other} is no loop device"
        ))),
    }
}

/// Whether a loop device still has this file behind it.
fn backs(device: &str, image: &Path) -> bool {
    let file = format!("/sys/block/{device}/loop/backing_file");
    let behind = std::fs::read_to_string(file).unwrap_or_default();
    Path::new(behind.trim_end()) == image
}

/// Takes every free block.
fn fill(root: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::O_CREAT | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    let hog = openat(root, HOG, flags, Mode::from_bits_truncate(0o600))?;
    let mut at = 0;
    let mut chunk: i64 = 64 << 20;
    while chunk >= 1024 {
        match fallocate(&hog, FallocateFlags::empty(), at, chunk) {
            Ok(()) => at += chunk,
            Err(Errno::ENOSPC) => chunk /= 2,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn mend_full(root: &OwnedFd) -> io::Result<()> {
    match unlinkat(root, HOG, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
