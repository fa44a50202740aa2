//! A drive in memory as a file system of the kernel's.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr,
    Request, Session, SessionACL, TimeOrNow, WriteFlags,
};

use crate::disk::{DiskError, Drive, Shape, Volume};

/// Nothing is remembered by the kernel: the drive is asked each time.
const TTL: Duration = Duration::ZERO;

/// The block size that it tells, in bytes.
const BLOCK: u32 = 4096;

/// Requests that are worked on at once: what one waits for, no other does.
const QUEUE: usize = 8;

/// The longest name, in bytes.
const NAME_MAX: u32 = 255;

/// One boot's way to a drive. When the boot is over, nothing of it reaches the
/// drive any more.
#[derive(Debug)]
struct Way {
    drive: Arc<Drive>,
    alive: Arc<AtomicBool>,
}

/// Serves a drive on the device of a mount, on a thread of its own, until the
/// mount is gone. Clearing `alive` ends it earlier for the drive.
pub(super) fn serve(device: OwnedFd, drive: Arc<Drive>, alive: Arc<AtomicBool>) -> io::Result<()> {
    let way = Way { drive, alive };
    std::thread::Builder::new()
        .name("volume".into())
        .spawn(move || {
            // Requests come from the node's user namespace: the kernel has
            // checked them against it.
            let mut config = Config::default();
            config.n_threads = Some(QUEUE);
            let session = Session::from_fd(way, device, SessionACL::All, config);
            if let Err(error) = session.and_then(Session::run) {
                tracing::warn!(%error, "a volume is no longer served");
            }
        })?;
    Ok(())
}

impl Way {
    fn alive(&self) -> Result<&Drive, Errno> {
        match self.alive.load(Ordering::Acquire) {
            true => Ok(&self.drive),
            false => Err(Errno::EIO),
        }
    }

    /// Names cost no time.
    fn names<T>(&self, act: impl FnOnce(&mut Volume) -> Result<T, DiskError>) -> Result<T, Errno> {
        self.alive()?.names(act).map_err(errno)
    }

    /// What the medium does takes as long as the drive is slow.
    fn medium<T>(&self, act: impl FnOnce(&Drive) -> Result<T, DiskError>) -> Result<T, Errno> {
        self.alive()?.wait();
        act(self.alive()?).map_err(errno)
    }
}

fn errno(error: DiskError) -> Errno {
    Errno::from_i32(error.errno())
}

fn text(name: &OsStr) -> Result<&str, Errno> {
    name.to_str().ok_or(Errno::EINVAL)
}

fn attributes(shape: Shape) -> FileAttr {
    // The time of a file is nobody's business here.
    let time: SystemTime = UNIX_EPOCH;
    FileAttr {
        ino: INodeNo(shape.ino),
        size: shape.len,
        blocks: shape.len.div_ceil(512),
        atime: time,
        mtime: time,
        ctime: time,
        crtime: time,
        kind: kind(shape),
        perm: shape.mode,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

fn kind(shape: Shape) -> FileType {
    match shape.folder {
        true => FileType::Directory,
        false => FileType::RegularFile,
    }
}

fn permissions(mode: u32, umask: u32) -> u16 {
    (mode & !umask & 0o7777) as u16
}

impl Filesystem for Way {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = text(name).and_then(|name| self.names(|v| v.find(parent.0, name)));
        entry(found, reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        attr(self.names(|v| v.shape(ino.0)), reply);
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let done = (|| {
            if let Some(mode) = mode {
                self.names(|v| v.set_mode(ino.0, permissions(mode, 0)))?;
            }
            if let Some(size) = size {
                self.medium(|drive| drive.set_len(ino.0, size))?;
            }
            self.names(|v| v.shape(ino.0))
        })();
        attr(done, reply);
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let mode = permissions(mode, umask);
        let made = text(name).and_then(|name| self.names(|v| v.make(parent.0, name, true, mode)));
        entry(made, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let gone = text(name).and_then(|name| self.names(|v| v.remove(parent.0, name, false)));
        empty(gone, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let gone = text(name).and_then(|name| self.names(|v| v.remove(parent.0, name, true)));
        empty(gone, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let done = (|| {
            let (from, to) = (text(name)?, text(newname)?);
            if flags.contains(RenameFlags::RENAME_EXCHANGE) {
                return Err(Errno::EINVAL);
            }
            self.names(|v| {
                if flags.contains(RenameFlags::RENAME_NOREPLACE) && v.find(newparent.0, to).is_ok()
                {
                    return Err(DiskError::Exists);
                }
                v.rename((parent.0, from), (newparent.0, to))
            })
        })();
        empty(done, reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.names(|v| v.open(ino.0)) {
            Ok(()) => reply.opened(FileHandle(ino.0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mode = permissions(mode, umask);
        let made = text(name).and_then(|name| {
            self.names(|v| {
                let shape = v.make(parent.0, name, false, mode)?;
                v.open(shape.ino)?;
                Ok(shape)
            })
        });
        match made {
            Ok(shape) => reply.created(
                &TTL,
                &attributes(shape),
                Generation(0),
                FileHandle(shape.ino),
                FopenFlags::empty(),
            ),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.medium(|drive| drive.read(ino.0, offset, size as usize)) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.medium(|drive| drive.write(ino.0, offset, data)) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    /// `close` flushes nothing.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        let _ = self.names(|v| {
            v.close(ino.0);
            Ok(())
        });
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(self.medium(|drive| drive.sync(Some(ino.0))), reply);
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(self.medium(|drive| drive.sync(None)), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let entries = match self.names(|v| v.list(ino.0)) {
            Ok(entries) => entries,
            Err(error) => return reply.error(error),
        };
        let own = [
            (ino.0, FileType::Directory, "."),
            (1, FileType::Directory, ".."),
        ];
        let named = entries
            .iter()
            .map(|e| (e.shape.ino, kind(e.shape), &*e.name));
        let all = own.into_iter().chain(named).zip(1..);
        for ((ino, kind, name), next) in all.skip(offset as usize) {
            if reply.add(INodeNo(ino), next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    /// It has none: the kernel does not ask again.
    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    /// As [`getxattr`](Filesystem::getxattr).
    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    /// Blocks are given out when they are written.
    fn fallocate(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: u64,
        _: i32,
        reply: ReplyEmpty,
    ) {
        reply.error(Errno::EOPNOTSUPP);
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let Ok(drive) = self.alive() else {
            return reply.error(Errno::EIO);
        };
        let (all, used) = drive.space();
        let blocks = |bytes: u64| bytes / u64::from(BLOCK);
        let free = blocks(all.saturating_sub(used));
        reply.statfs(blocks(all), free, free, 0, 0, BLOCK, NAME_MAX, BLOCK);
    }
}

fn entry(result: Result<Shape, Errno>, reply: ReplyEntry) {
    match result {
        Ok(shape) => reply.entry(&TTL, &attributes(shape), Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn attr(result: Result<Shape, Errno>, reply: ReplyAttr) {
    match result {
        Ok(shape) => reply.attr(&TTL, &attributes(shape)),
        Err(error) => reply.error(error),
    }
}

fn empty(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}
